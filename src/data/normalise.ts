/** Mean and standard deviation of MNIST's training pixels, of 1. */
const MEAN = 0.1307;
const DEVIATION = 0.3081;

/** The float32 value that each byte of a sample is trained as: (byte / 255 - mean) / deviation. */
export function byteTable(): Float32Array {
  return Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - MEAN) / DEVIATION);
}
