import protobuf from 'protobufjs/light.js';

/*
 * The messages of a SavedModel, as far as dtrain writes them, with the field numbers that TensorFlow
 * publishes in tensorflow/core/protobuf (saved_model, meta_graph) and tensorflow/core/framework
 * (graph, node_def, attr_value, tensor, tensor_shape, versions).
 */

/** `DataType` */
export const dataTypes = { float: 1, int32: 3, bool: 10 } as const;

interface TensorShape {
  readonly dim: readonly { readonly size: number }[];
}

/** One of its fields. */
export interface AttrValue {
  readonly list?: { readonly i: readonly number[] };
  readonly s?: Uint8Array;
  readonly i?: number;
  readonly f?: number;
  readonly b?: boolean;
  readonly type?: number;
  readonly shape?: { readonly unknownRank: true };
  readonly tensor?: {
    readonly dtype: number;
    readonly tensorShape: TensorShape;
    readonly tensorContent: Uint8Array;
  };
}

export interface NodeDef {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
  readonly attr: Readonly<Record<string, AttrValue>>;
}

interface TensorInfo {
  readonly name: string;
  readonly dtype: number;
  readonly tensorShape: TensorShape;
}

export interface SignatureDef {
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly outputs: Readonly<Record<string, TensorInfo>>;
  readonly methodName: string;
}

export interface SavedModel {
  readonly savedModelSchemaVersion: number;
  readonly metaGraphs: readonly {
    readonly metaInfoDef: { readonly tags: readonly string[] };
    readonly graphDef: {
      readonly node: readonly NodeDef[];
      /** The version of TensorFlow's graph format. */
      readonly versions: { readonly producer: number };
    };
    readonly signatureDef: Readonly<Record<string, SignatureDef>>;
  }[];
}

type Field = readonly [id: number, type: string, kind?: 'repeated' | 'map'];

const messages: Readonly<Record<string, Readonly<Record<string, Field>>>> = {
  SavedModel: {
    savedModelSchemaVersion: [1, 'int64'],
    metaGraphs: [2, 'MetaGraphDef', 'repeated'],
  },
  MetaGraphDef: {
    metaInfoDef: [1, 'MetaInfoDef'],
    graphDef: [2, 'GraphDef'],
    signatureDef: [5, 'SignatureDef', 'map'],
  },
  MetaInfoDef: { tags: [4, 'string', 'repeated'] },
  SignatureDef: {
    inputs: [1, 'TensorInfo', 'map'],
    outputs: [2, 'TensorInfo', 'map'],
    methodName: [3, 'string'],
  },
  TensorInfo: { name: [1, 'string'], dtype: [2, 'int32'], tensorShape: [3, 'TensorShape'] },
  GraphDef: { node: [1, 'NodeDef', 'repeated'], versions: [4, 'VersionDef'] },
  VersionDef: { producer: [1, 'int32'] },
  NodeDef: {
    name: [1, 'string'],
    op: [2, 'string'],
    input: [3, 'string', 'repeated'],
    attr: [5, 'AttrValue', 'map'],
  },
  AttrValue: {
    list: [1, 'ListValue'],
    s: [2, 'bytes'],
    i: [3, 'int64'],
    f: [4, 'float'],
    b: [5, 'bool'],
    type: [6, 'int32'],
    shape: [7, 'TensorShape'],
    tensor: [8, 'Tensor'],
  },
  ListValue: { i: [3, 'int64', 'repeated'] },
  Tensor: { dtype: [1, 'int32'], tensorShape: [2, 'TensorShape'], tensorContent: [4, 'bytes'] },
  TensorShape: { dim: [2, 'Dim', 'repeated'], unknownRank: [3, 'bool'] },
  Dim: { size: [1, 'int64'] },
};

const root = new protobuf.Root();
for (const [name, fields] of Object.entries(messages)) {
  const type = new protobuf.Type(name);
  for (const [field, [id, of, kind]] of Object.entries(fields)) {
    type.add(
      kind === 'map'
        ? new protobuf.MapField(field, id, 'string', of)
        : new protobuf.Field(field, id, of, kind),
    );
  }
  root.add(type);
}

/** The bytes of a `saved_model.pb`. */
export function encodeSavedModel(model: SavedModel): Uint8Array {
  const type = root.lookupType('SavedModel');
  // Without fromObject an enum's or a oneof's field that is 0 or false would be left out.
  return type.encode(type.fromObject(model)).finish();
}
