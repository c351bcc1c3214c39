import { LANES, type Target, type TileSizes } from './ir/types.js';

/** WebAssembly: 16 registers of 4 lanes, of which V8 leaves fewer to a loop the longer it is. */
export const wasmTarget: Target = {
  width: 4,
  lanes: LANES,
  tiles: {
    convolution: { filters: 4, columns: 1 },
    pooledConvolution: { filters: 4, columns: 1 },
    convolutionWeights: { columns: 3, sums: 6 },
    convolutionInput: { channels: 4, columns: 1 },
    dense: 4,
    denseWeights: { vectors: 2, sums: 8 },
    denseInput: 4,
  },
};

const sixteenRegisters: TileSizes = {
  convolution: { filters: 6, columns: 2 },
  pooledConvolution: { filters: 6, columns: 2 },
  convolutionWeights: { columns: 5, sums: 10 },
  convolutionInput: { channels: 6, columns: 2 },
  dense: 11,
  denseWeights: { vectors: 2, sums: 12 },
  denseInput: 8,
};

/** C, one micro-batch at a time: in two vectors of SSE or NEON, or in one of AVX. */
const nativeTargets: Record<4 | 8, Target> = {
  4: { width: 4, lanes: LANES, tiles: wasmTarget.tiles },
  8: { width: 8, lanes: LANES, tiles: sixteenRegisters },
};

/** C, one micro-batch at a time, for a processor whose vectors have so many lanes at most. */
export function nativeTarget(lanes: 4 | 8 | 16): Target {
  return nativeTargets[lanes === 4 ? 4 : 8];
}

/** C for AVX-512, two micro-batches at a time; 32 registers. */
export const nativePairTarget: Target = {
  width: 16,
  lanes: 16,
  tiles: {
    convolution: { filters: 8, columns: 2 },
    pooledConvolution: { filters: 8, columns: 2 },
    convolutionWeights: { columns: 5, sums: 12 },
    convolutionInput: { channels: 8, columns: 2 },
    dense: 24,
    denseWeights: { vectors: 2, sums: 16 },
    denseInput: 16,
  },
};
