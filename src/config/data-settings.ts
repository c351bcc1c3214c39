import type { Settings } from './settings.js';
import type { DataSettings, OptionValues } from './types.js';

/** The data set that goes by name. */
export const MNIST = 'mnist';

type DataValues = Pick<OptionValues, keyof DataSettings>;

/** Which data; `data` is null where it is not given. */
export function dataSettings<V extends DataValues>(settings: Settings<V>): DataValues {
  const named = settings.get('data') === MNIST;
  // --data-dir says where MNIST is, so no other data goes with it.
  const [data, dataDir] = named
    ? [MNIST, settings.get('dataDir')]
    : settings.either('data', 'dataDir');
  return {
    data,
    dataDir,
    label: settings.get('label'),
    imageSize: settings.get('imageSize'),
    skipBad: settings.get('skipBad'),
  };
}
