import { at } from './arrays.js';

/** Outputs of a softmax layer: over the `channels` values at each place. */
export function softmax(channels: number, input: Float64Array): Float64Array {
  const output = new Float64Array(input.length);
  for (let from = 0; from < input.length; from += channels) {
    const values = input.subarray(from, from + channels);
    const largest = Math.max(...values);
    const powers = values.map((value) => Math.exp(value - largest));
    const sum = powers.reduce((total, power) => total + power, 0);
    output.set(
      powers.map((power) => power / sum),
      from,
    );
  }
  return output;
}

/** Gradient of a softmax layer's input, by its matrix of slopes. */
export function softmaxGradient(
  channels: number,
  input: Float64Array,
  outputGradient: Float64Array,
): Float64Array {
  const output = softmax(channels, input);
  return output.map((own, index) => {
    const from = index - (index % channels);
    let sum = 0;
    for (let other = from; other < from + channels; other++) {
      const slope = own * ((other === index ? 1 : 0) - at(output, other));
      sum += at(outputGradient, other) * slope;
    }
    return sum;
  });
}
