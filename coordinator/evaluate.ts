import { availableParallelism } from 'node:os';
import type { InspectionConfig } from '../src/config/types.js';
import { copySplit, type Dataset, NO_SAMPLES, sizeOfSplit, tableOf } from '../src/data/dataset.js';
import { type DataDescription, normalisedAs, readDescription } from '../src/data/description.js';
import { type DataOptions, loadData } from '../src/data/load.js';
import { checkFits } from '../src/data/fits.js';
import { imageSizeOf } from '../src/data/images/decode.js';
import { type ChosenEngine, chooseEngine } from '../src/engine/choose.js';
import { arithmeticOf } from '../src/engine/names.js';
import { isLayersModel } from '../src/engine/run-model.js';
import { withSamples } from '../src/engine/tfjs/spec.js';
import { compileForWasm } from '../src/engine/wasm/compile.js';
import { withInputType } from '../src/model/adapt.js';
import type { Evaluation } from '../src/threads/evaluation.js';
import { ThreadPool } from '../src/threads/pool.js';
import { trainedModel } from './run-model.js';

interface Listeners {
  readonly onNotice: (sentence: string) => void;
  readonly signal: AbortSignal;
}

/** What `dtrain eval` tells. */
export interface EvaluatedModel {
  readonly evaluation: Evaluation;
  readonly dataset: Dataset;
  readonly model: string;
  readonly engine: ChosenEngine;
}

/**
 * Evaluates the model in a file, or in a run's folder, over the test set.
 * @throws DtrainError MODEL_FILE, MODEL_INVALID, DATA_MISSING, DATA_DAMAGED
 */
export async function evaluateModel(
  place: string,
  config: InspectionConfig,
  listeners: Listeners,
): Promise<EvaluatedModel> {
  const { model: described, weights, file } = await trainedModel(place, config.engine);
  const trainedOn = await readDescription(file);
  const normalise = normalisedAs(file, trainedOn, config.normalise);
  if (normalise === null) {
    const notice = `${file} does not say how its samples were normalised: taken as dtrain does it; add --normalise unit if they were divided by 255.`;
    listeners.onNotice(notice);
  }
  const dataset = await loadData({
    ...evaluationData(config, trainedOn),
    normalise,
    // Images that are given are brought to what the model takes.
    imageSize: config.imageSize ?? imageSizeOf(described.spec.input),
    ...listeners,
  });
  if (dataset.note !== undefined) listeners.onNotice(dataset.note);
  checkFits(file, described, dataset);
  const { test, inputType } = dataset;
  const model = isLayersModel(described)
    ? withSamples(described, dataset)
    : withInputType(inputType, described.spec);
  const optimizer = 'sgd';
  const { module, program } = await compileForWasm(model, optimizer, arithmeticOf(config.engine));
  const wasm = { module, workSize: program.workSize };
  const engine = await chooseEngine(config.engine, model, optimizer, wasm, config.threads);
  const pool = new ThreadPool({
    threads: config.threads,
    cores: availableParallelism(),
    module,
    program,
    engine,
    parameterCount: model.parameterCount,
    stateSlots: 0,
    seed: 0,
    batch: 1,
    training: NO_SAMPLES,
    trainingCount: 0,
    validationCount: 0,
    test: sizeOfSplit(test),
    table: tableOf(dataset),
  });
  try {
    await pool.ready();
    copySplit(test, pool.test);
    pool.weights.set(weights);
    const evaluation = await pool.evaluate('test');
    return { evaluation, dataset, model: model.spec.name, engine };
  } finally {
    await pool.close();
  }
}

/** The data that is asked for, else what the model was trained on, read as it was then. */
function evaluationData(
  config: InspectionConfig,
  trainedOn: DataDescription | undefined,
): Omit<DataOptions, 'imageSize' | 'normalise'> {
  const own = config.data === null && config.dataDir === null;
  const { data = 'mnist', dataDir = null } = own ? (trainedOn ?? {}) : config;
  const { classNames, classes } = trainedOn ?? {};
  return {
    data: data ?? 'mnist',
    dataDir,
    label: config.label ?? trainedOn?.label ?? null,
    skipBad: config.skipBad || (own && trainedOn?.skipBad === true),
    seed: trainedOn?.seed ?? 1,
    // Other data than the model's own is all there to test on, if it has no test samples.
    holdOut: own,
    ...(classes !== undefined && {
      classes: { count: classes, ...(classNames && { names: classNames }) },
    }),
  };
}
