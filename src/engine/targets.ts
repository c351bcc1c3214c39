import { LANES, type Target, type TileSizes } from './ir/types.js';

/** WebAssembly: 16 registers of 4 lanes, of which V8 leaves fewer to a loop the longer it is. */
export const wasmTarget: Target = {
  width: 4,
  lanes: LANES,
  tiles: {
    convolution: 4,
    pooledConvolution: 4,
    convolutionWeights: { filters: 2, columns: 3 },
    convolutionInput: 4,
    dense: 4,
    denseWeights: { vectors: 2, sums: 8 },
    denseInput: 4,
  },
};

const sixteenRegisters: TileSizes = {
  convolution: 6,
  pooledConvolution: 6,
  convolutionWeights: { filters: 2, columns: 5 },
  convolutionInput: 6,
  dense: 8,
  denseWeights: { vectors: 2, sums: 8 },
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
    convolution: 6,
    pooledConvolution: 6,
    convolutionWeights: { filters: 3, columns: 5 },
    convolutionInput: 8,
    dense: 8,
    denseWeights: { vectors: 2, sums: 16 },
    denseInput: 8,
  },
};
