/**
 * The messages of KEDA's external scalers, by the numbers of their fields in its externalscaler.proto:
 * https://keda.sh/docs/2.14/concepts/external-scalers/. Numbers with fractions came with KEDA 2.18; earlier ones skip them.
 */
import { bytesField, doubleField, fieldsOf, textOf, wholeField } from './protobuf.ts';

/** Whose metrics are asked for: the ScaledObject, with `metadata` of its trigger. */
export interface ScaledObjectRef {
  readonly name: string;
  readonly namespace: string;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Throws RangeError or TypeError for what is no such message. */
export function readScaledObjectRef(message: Uint8Array): ScaledObjectRef {
  let [name, namespace] = ['', ''];
  const metadata = new Map<string, string>();
  for (const { number, bytes } of fieldsOf(message)) {
    if (number === 1) name = textOf(bytes);
    else if (number === 2) namespace = textOf(bytes);
    else if (number === 3) metadata.set(...readEntry(bytes));
  }
  return { name, namespace, metadata };
}

/** Of a GetMetricsRequest; which metric is asked for does not matter, there is one. */
export function readMetricsRequest(message: Uint8Array): ScaledObjectRef {
  let reference = message.subarray(0, 0);
  for (const { number, bytes } of fieldsOf(message)) if (number === 1) reference = bytes;
  return readScaledObjectRef(reference);
}

function readEntry(message: Uint8Array): [key: string, value: string] {
  let [key, value] = ['', ''];
  for (const { number, bytes } of fieldsOf(message)) {
    if (number === 1) key = textOf(bytes);
    else if (number === 2) value = textOf(bytes);
  }
  return [key, value];
}

export function isActiveResponse(isActive: boolean): Buffer {
  return wholeField(1, isActive ? 1 : 0);
}

export function metricSpecResponse(name: string, target: number): Buffer {
  return bytesField(1, metric(name, target));
}

export function metricsResponse(name: string, value: number): Buffer {
  return bytesField(1, metric(name, value));
}

/** A MetricSpec and a MetricValue look alike. */
function metric(name: string, value: number): Buffer {
  return Buffer.concat([bytesField(1, name), wholeField(2, Math.ceil(value)), doubleField(3, value)]);
}
