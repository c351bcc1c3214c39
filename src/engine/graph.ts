import { SAMPLE } from '../model/layers.js';
import type { Model } from '../model/model.js';
import type { KernelBuilder } from './ir/builder.js';
import type { Kernel, Target } from './ir/types.js';
import { combinePlanes } from './kernels/elementwise.js';
import { planesOf } from './kernels/planes.js';
import { stageKernels } from './stage-kernels.js';
import type { BackwardPointers, Buffer, StageKernels } from './stage-setting.js';
import { borderAround, stagesOf } from './stages.js';

/** A stage's kernels, and the places of its values and their gradient in the work memory. */
interface CompiledStage {
  /** Places in the list of stages, all before its own; `SAMPLE` is the sample. */
  readonly inputs: readonly number[];
  readonly kernels: StageKernels;
  readonly y: Buffer;
  readonly gradient: number;
  /** For a value that several stages take: where another one's share of its gradient is added. */
  readonly share?: { readonly place: number; readonly add: Kernel };
}

/** A model's stages in an order in which they can be computed, and where its samples go. */
export function compileStages(
  model: Model,
  target: Target,
  allocate: (size: number) => number,
): { samples: Buffer; stages: CompiledStage[] } {
  const stages = stagesOf(model);
  const { lanes } = target;
  const planes = planesOf(model.spec.input, lanes, borderAround(stages, SAMPLE));
  const samples = { planes, place: allocate(planes.size) };
  const compiled: CompiledStage[] = [];
  stages.forEach((stage, index) => {
    const [x = samples, ...others] = stage.inputs.map((from) => compiled[from]?.y ?? samples);
    const valuePlanes = planesOf(stage.output, lanes, borderAround(stages, index));
    const y = { planes: valuePlanes, place: allocate(valuePlanes.size) };
    const dy = planesOf(stage.output, lanes);
    const readers = stages.flatMap(({ inputs }) => inputs.filter((from) => from === index));
    const share = readers.length > 1 && {
      place: allocate(dy.size),
      add: combinePlanes(`${stage.name}_shares`, target, 'add', [dy, dy, dy]),
    };
    compiled.push({
      inputs: stage.inputs,
      kernels: stageKernels(stage, { target, x, others, y, allocate }),
      y,
      gradient: allocate(dy.size),
      ...(share && { share }),
    });
  });
  return { samples, stages: compiled };
}

/**
 * Writes the way back from the gradient of the last stage's values. A value's gradient is the sum of
 * what the stages that take it send back, the last one's first.
 */
export function backward(
  k: KernelBuilder,
  stages: readonly CompiledStage[],
  pointers: Omit<BackwardPointers, 'dy' | 'dx'>,
): void {
  const { at } = pointers;
  const begun = new Set<CompiledStage>();
  for (const { inputs, kernels, gradient } of stages.toReversed()) {
    for (const from of inputs) {
      const source = stages[from];
      const shared = source && begun.has(source) ? source.share : undefined;
      const place = shared ? shared.place : source?.gradient;
      kernels.backward(k, {
        ...pointers,
        dy: at(gradient),
        ...(place !== undefined && { dx: at(place) }),
      });
      if (!source) continue;
      if (shared) k.call(shared.add, at(source.gradient), at(shared.place), at(source.gradient));
      begun.add(source);
    }
  }
}
