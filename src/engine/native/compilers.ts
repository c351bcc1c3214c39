import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { reasonOf } from '../../errors.js';
import { sha256 } from '../../sha256.js';

const run = promisify(execFile);

/** A C compiler of this machine, and what it compiles for. */
export interface Compiler {
  /** The program, with what comes first (`ccache gcc`), and the options that come after dtrain's. */
  readonly command: readonly [string, ...string[]];
  readonly options: readonly string[];
  /** `gcc 12.2.0`, `clang 14.0.6` */
  readonly name: string;
  /** The widest vectors of the processor: lanes of float32 values. */
  readonly lanes: 4 | 8 | 16;
  /** Tells one compiler, its version and its processor from another. */
  readonly identity: string;
}

/** Every value keeps its IEEE rounding: nothing is contracted, reordered or assumed. */
const FLAGS = ['-O3', '-march=native', '-ffp-contract=off', '-fno-math-errno'] as const;
const LIBRARY_FLAGS = ['-shared', '-fPIC', '-fvisibility=hidden', '-Wno-psabi'] as const;
const LONGEST_COMPILATION_MS = 60_000;

/** The compilers that there are: $CC alone if it is set, else clang and gcc, or whatever cc is. */
export async function findCompilers(env: NodeJS.ProcessEnv = process.env): Promise<Compiler[]> {
  const words = (env.CC ?? '').split(/\s+/).filter((word) => word !== '');
  const isOption = (word: string): boolean => word.startsWith('-');
  const end = words.some(isOption) ? words.findIndex(isOption) : words.length;
  const [program, ...args] = words.slice(0, end);
  const commands: Compiler['command'][] =
    program === undefined ? [['clang'], ['gcc'], ['cc']] : [[program, ...args]];
  const found = await Promise.all(commands.map((command) => inspect(command, words.slice(end))));
  const compilers = found.filter((compiler) => compiler !== undefined);
  return compilers.filter(
    ({ identity }, index) => compilers.findIndex((other) => other.identity === identity) === index,
  );
}

/** What a compiler says of itself and its target; undefined if it cannot be run. */
async function inspect(
  command: Compiler['command'],
  options: Compiler['options'],
): Promise<Compiler | undefined> {
  try {
    const [program, ...args] = command;
    const asked = [...args, ...FLAGS, ...options, '-dM', '-E', '-x', 'c', '/dev/null'];
    const { stdout } = await run(program, asked);
    const macros = new Map(
      [...stdout.matchAll(/^#define (\w+) (.*)$/gm)].map(([, name = '', value = '']) => [
        name,
        value,
      ]),
    );
    const version = macros.get('__VERSION__')?.replaceAll('"', '') ?? '';
    const clang = macros.get('__clang_version__')?.replaceAll('"', '').trim();
    return {
      command,
      options,
      name: clang === undefined ? `gcc ${version}` : `clang ${clang.split(' ')[0] ?? ''}`,
      lanes: macros.has('__AVX512F__') ? 16 : macros.has('__AVX__') ? 8 : 4,
      identity: sha256(Buffer.from([stdout, ...options].join('\0'))),
    };
  } catch {
    return undefined;
  }
}

/**
 * Compiles C files to a shared library.
 * @throws the compiler's own words, if it fails
 */
export async function compileLibrary(
  { command: [program, ...args], options }: Compiler,
  sources: readonly string[],
  library: string,
): Promise<void> {
  try {
    await run(
      program,
      [...args, ...FLAGS, ...options, ...LIBRARY_FLAGS, '-o', library, ...sources],
      {
        timeout: LONGEST_COMPILATION_MS,
      },
    );
  } catch (error) {
    const words = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new Error(words === '' ? reasonOf(error) : words, { cause: error });
  }
}

/** What else a library's content depends on. */
export const flagsText = [...FLAGS, ...LIBRARY_FLAGS].join(' ');
