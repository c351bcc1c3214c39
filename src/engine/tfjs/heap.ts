import type { TensorInfo } from '@tensorflow/tfjs-core';
import { DtrainError } from '../../errors.js';
import { sizeOf } from '../../model/model.js';
import { LANES } from '../ir/types.js';
import { emitWasm } from '../wasm/emit.js';
import type { GradientKernel } from './gradient-kernels.js';

/** What dtrain uses of TensorFlow.js's WebAssembly backend (4.22): its memory, and where tensors are. */
export interface WasmBackend {
  readonly wasm: {
    readonly asm: { readonly memory: WebAssembly.Memory };
    /** Bytes from the start of the memory, as a signed number. */
    _malloc(bytes: number): number;
  };
  readonly dataIdMap: { get(dataId: object): { readonly memoryOffset: number } };
  makeOutput(shape: readonly number[], dtype: 'float32'): TensorInfo;
  disposeData(dataId: object): void;
}

/** A gradient kernel at work in the backend's memory. */
interface Instance {
  run(first: number, second: number, count: number, work: number, out: number): void;
  readonly work: number;
}

/** Our kernels in the memory of TensorFlow.js's WebAssembly backend, compiled once for each shape. */
export class KernelHeap {
  readonly #backend: WasmBackend;
  readonly #instances = new Map<string, Instance>();

  /** @throws DtrainError ENGINE_MISSING if the backend is another than the one that is known */
  constructor(backend: WasmBackend) {
    const { wasm } = backend as Partial<WasmBackend>;
    if (!(wasm?.asm.memory instanceof WebAssembly.Memory)) {
      const message =
        'The engine tfjs needs version 4.22 of @tensorflow/tfjs-backend-wasm: install that one.';
      throw new DtrainError('ENGINE_MISSING', message);
    }
    this.#backend = backend;
  }

  /**
   * Runs a kernel over all samples, LANES at a time.
   * @param key names what `make` makes
   * @param like has the samples in its first axis
   * @param operands what the kernel reads, and `out`, which gets its samples or the sum over all
   */
  run(
    key: string,
    make: () => GradientKernel,
    { shape: [samples = 0] }: TensorInfo,
    { first, second, out }: Record<'first' | 'second' | 'out', KernelOperand>,
  ): void {
    const instance = this.#instances.get(key) ?? this.#instantiate(key, make());
    const place = ({ tensor, stride }: KernelOperand, sample: number): number =>
      this.#placeOf(tensor) + sample * stride * 4;
    for (let sample = 0; sample < samples; sample += LANES) {
      const count = Math.min(LANES, samples - sample);
      instance.run(
        place(first, sample),
        place(second, sample),
        count,
        instance.work,
        place(out, sample),
      );
    }
  }

  /** A tensor's values, in place: until the next tensor is made, since the memory may grow. */
  valuesOf(tensor: TensorInfo): Float32Array {
    return new Float32Array(this.#memory.buffer, this.#placeOf(tensor), sizeOf(tensor.shape));
  }

  /** A tensor's integers, in place. */
  integersOf(tensor: TensorInfo): Int32Array {
    return new Int32Array(this.#memory.buffer, this.#placeOf(tensor), sizeOf(tensor.shape));
  }

  /** A new tensor, of any values. */
  make(shape: readonly number[]): TensorInfo {
    return this.#backend.makeOutput(shape, 'float32');
  }

  /** Where a tensor's values begin, in bytes. */
  #placeOf({ dataId }: TensorInfo): number {
    return this.#backend.dataIdMap.get(dataId).memoryOffset;
  }

  get #memory(): WebAssembly.Memory {
    return this.#backend.wasm.asm.memory;
  }

  #instantiate(key: string, { kernel, workSize }: GradientKernel): Instance {
    const bytes = workSize * 4;
    const work = this.#backend.wasm._malloc(bytes) >>> 0;
    if (work === 0) throw new RangeError('TensorFlow.js has no memory left.');
    new Uint8Array(this.#memory.buffer, work, bytes).fill(0);
    const module = new WebAssembly.Module(emitWasm([kernel], 'unshared'));
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.#memory } });
    const instance = { run: exports.run as Instance['run'], work };
    this.#instances.set(key, instance);
    return instance;
  }
}

/** A tensor, and the values from one sample to the next: 0 if all share it. */
export interface KernelOperand {
  readonly tensor: TensorInfo;
  readonly stride: number;
}
