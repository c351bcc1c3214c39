#!/usr/bin/env bash
# usage: scripts/setup-tfjs-node.sh [FOLDER [TENSORFLOW]]
#
# Installs @tensorflow/tfjs-node in FOLDER (this project unless given) where its own install script
# cannot fetch its binaries: builds its binding against the libtensorflow in PyPI's wheel
# tensorflow-cpu. Wants Linux on x86-64, Python 3 with pip, a C++ compiler and make. TENSORFLOW is the
# folder of the Python package where that wheel is installed already; else it is downloaded.
set -euo pipefail
tfjs_node=4.22.0
tensorflow=2.15.1

folder="$(cd "${1:-$(dirname "$0")/..}" && pwd)"
installed="${2:-}"
python="${PYTHON:-python3}"
cd "$folder"
test "$(uname -sm)" = 'Linux x86_64' || {
  echo "This script is for Linux on x86-64; elsewhere type: npm install @tensorflow/tfjs-node" >&2
  exit 1
}
# As an optional dependency, since npm leaves out what a manifest names as an optional peer.
npm install --no-save --save-optional --ignore-scripts --no-audit --no-fund \
  "@tensorflow/tfjs-node@$tfjs_node"
package="$folder/node_modules/@tensorflow/tfjs-node"
rm -rf "$package/deps"
mkdir -p "$package/deps/lib"

if [ -z "$installed" ]; then
  wheels="${DTRAIN_CACHE_DIR:-$HOME/.cache/dtrain}/wheels"
  "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --python-version 3.11 --platform manylinux2014_x86_64 --dest "$wheels" \
    "tensorflow-cpu==$tensorflow"
  installed="$package/deps/tensorflow"
  "$python" - "$wheels"/tensorflow_cpu-"$tensorflow"-*.whl "$package/deps" <<'PYTHON'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wanted = ("tensorflow/include/", "tensorflow/libtensorflow_")
    wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith(wanted)])
PYTHON
fi
ln -s "$installed/include" "$package/deps/include"
for name in libtensorflow_cc.so.2 libtensorflow.so libtensorflow.so.2 libtensorflow.so.2.9.1; do
  ln -s "$installed/libtensorflow_cc.so.2" "$package/deps/lib/$name"
done
for name in libtensorflow_framework.so libtensorflow_framework.so.2; do
  ln -s "$installed/libtensorflow_framework.so.2" "$package/deps/lib/$name"
done

# Node's own headers, where they came with it; else node-gyp fetches them.
prefix="$(dirname "$(dirname "$(node -p process.execPath)")")"
headers=()
if [ -d "$prefix/include/node" ]; then headers=("--nodedir=$prefix"); fi
cd "$package"
"$folder/node_modules/.bin/node-pre-gyp" install --build-from-source "${headers[@]}"
cd "$folder"
TF_CPP_MIN_LOG_LEVEL=3 node -e "console.log('TensorFlow', require('@tensorflow/tfjs-node').backend().binding.TF_Version)"
