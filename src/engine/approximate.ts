import type { Model } from '../model/model.js';
import type { CallSizes, Surroundings, ThreadEngine } from './engine.js';
import type { TfjsNodeEngine } from './tfjs-node/prepare.js';

/** An approximate engine of a model, as it is told to a thread: plain data. */
export type ApproximateEngine = TfjsNodeEngine;

/** A call costs much, so it takes many micro-batches; but not more than the caches hold. */
export const approximateCallSizes: CallSizes = { gradients: 32, evaluate: 32 };

/**
 * The engine for a model, once this process is ready to start it in threads. No engine is loaded,
 * and none of its files is read, before it is asked for.
 * @throws DtrainError ENGINE_MISSING if it cannot be had, MODEL_INVALID for a layer that it lacks
 */
export async function prepareApproximate(model: Model): Promise<ApproximateEngine> {
  const { prepareTfjsNode } = await import('./tfjs-node/prepare.js');
  return prepareTfjsNode(model);
}

/** Starts the engine in the calling thread. */
export async function startApproximate(
  engine: ApproximateEngine,
  surroundings: Surroundings,
): Promise<ThreadEngine> {
  const { startTfjsNode } = await import('./tfjs-node/engine.js');
  return startTfjsNode(engine, surroundings);
}
