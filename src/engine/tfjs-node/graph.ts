import { type AttrValue, dataTypes, type NodeDef } from './protobuf.js';

/** An output of a node: `conv2d_1/forward`, or `split:2` for the third of several. */
export type Tensor = string;

/** Writes a TensorFlow graph down, node by node. */
export class GraphBuilder {
  readonly nodes: NodeDef[] = [];
  readonly #constants = new Map<string, Tensor>();

  /** A node; `T` is float unless its attributes say something else. */
  node(
    op: string,
    inputs: readonly Tensor[],
    attr: Readonly<Record<string, AttrValue>> = {},
    name = `${op}_${this.nodes.length}`,
  ): Tensor {
    this.nodes.push({ name, op, input: inputs, attr });
    return name;
  }

  /** A node of one float type, as most are. */
  float(
    op: string,
    inputs: readonly Tensor[],
    attr: Readonly<Record<string, AttrValue>> = {},
  ): Tensor {
    return this.node(op, inputs, { T: attrs.float, ...attr });
  }

  input(name: string, type: AttrValue): Tensor {
    return this.node('Placeholder', [], { dtype: type }, name);
  }

  /** A float input that is 1 where it is not given. */
  inputOrOne(name: string): Tensor {
    const attributes = { dtype: attrs.float, shape: attrs.anyShape };
    return this.node('PlaceholderWithDefault', [this.scalar(1)], attributes, name);
  }

  /** int32 numbers; a scalar if it is one number, and else in one row unless a shape is given. */
  integers(
    values: number | readonly number[],
    shape: readonly number[] = typeof values === 'number' ? [] : [values.length],
  ): Tensor {
    const list = typeof values === 'number' ? [values] : values;
    return this.#constant(`int32 ${JSON.stringify([values, shape])}`, {
      dtype: dataTypes.int32,
      tensorShape: { dim: shape.map((size) => ({ size })) },
      tensorContent: new Uint8Array(Int32Array.from(list).buffer),
    });
  }

  /** A float32 scalar. */
  scalar(value: number): Tensor {
    return this.#constant(`float ${value}`, {
      dtype: dataTypes.float,
      tensorShape: { dim: [] },
      tensorContent: new Uint8Array(Float32Array.of(value).buffer),
    });
  }

  /** A shape whose first extent, the number of samples, is known when the graph runs. */
  shape(count: Tensor, extents: readonly number[]): Tensor {
    const key = `shape ${count} ${extents.join(' ')}`;
    return this.#once(key, () =>
      this.node('Pack', [count, ...extents.map((extent) => this.integers(extent))], {
        N: { i: extents.length + 1 },
        T: attrs.int32,
        axis: { i: 0 },
      }),
    );
  }

  /** The sum or the mean along axes. */
  reduce(op: 'Sum' | 'Mean', values: Tensor, axes: readonly number[], keep: boolean): Tensor {
    return this.float(op, [values, this.integers(axes)], {
      Tidx: attrs.int32,
      keep_dims: { b: keep },
    });
  }

  sum(tensors: readonly Tensor[]): Tensor {
    const [first = '', ...others] = tensors;
    return others.length === 0 ? first : this.float('AddN', tensors, { N: { i: tensors.length } });
  }

  reshape(tensor: Tensor, shape: Tensor): Tensor {
    return this.float('Reshape', [tensor, shape], { Tshape: attrs.int32 });
  }

  #constant(key: string, tensor: NonNullable<AttrValue['tensor']>): Tensor {
    return this.#once(key, () =>
      this.node('Const', [], { dtype: { type: tensor.dtype }, value: { tensor } }),
    );
  }

  #once(key: string, make: () => Tensor): Tensor {
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const tensor = make();
    this.#constants.set(key, tensor);
    return tensor;
  }
}

const text = new TextEncoder();

/** Attributes of nodes. */
export const attrs = {
  float: { type: dataTypes.float },
  int32: { type: dataTypes.int32 },
  anyShape: { shape: { unknownRank: true } },
  /** [samples, rows, columns, channels] */
  nhwc: { s: text.encode('NHWC') },
  text: (value: string): AttrValue => ({ s: text.encode(value) }),
  integers: (...i: number[]): AttrValue => ({ list: { i } }),
} as const;
