import { isLayersModel, type RunModel } from './run-model.js';
import type { EngineChoice } from './names.js';
import type { CallSizes, Surroundings, ThreadEngine } from './engine.js';
import type { TfjsEngine } from './tfjs/prepare.js';
import type { TfjsNodeEngine } from './tfjs-node/prepare.js';

/** An approximate engine of a model, as it is told to a thread: plain data. */
export type ApproximateEngine = TfjsNodeEngine | TfjsEngine;

/** A call costs much, so it takes many micro-batches; but not more than the caches hold. */
export const approximateCallSizes: CallSizes = { gradients: 32, evaluate: 32 };

/**
 * The engine for a model, once this process is ready to start it in so many threads: `tfjs` if that
 * is asked for or the model is one of its layers, else `tfjs-node`. No engine is loaded, and none of
 * its files is read, before it is asked for.
 * @throws DtrainError ENGINE_MISSING if it cannot be had, MODEL_INVALID for a layer that it lacks
 */
export async function prepareApproximate(
  choice: EngineChoice,
  model: RunModel,
  threads: number,
): Promise<ApproximateEngine> {
  if (choice === 'tfjs' || isLayersModel(model)) {
    const { prepareTfjs } = await import('./tfjs/prepare.js');
    return prepareTfjs(model, threads);
  }
  const { prepareTfjsNode } = await import('./tfjs-node/prepare.js');
  return prepareTfjsNode(model);
}

/** Starts the engine in the calling thread. */
export async function startApproximate(
  engine: ApproximateEngine,
  surroundings: Surroundings,
): Promise<ThreadEngine> {
  if (engine.name === 'tfjs') {
    const { startTfjs } = await import('./tfjs/engine.js');
    return startTfjs(engine, surroundings);
  }
  const { startTfjsNode } = await import('./tfjs-node/engine.js');
  return startTfjsNode(engine, surroundings);
}
