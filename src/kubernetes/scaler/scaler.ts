/**
 * KEDA's external scaler: how many requests gateways have for a Function. The ScaledObject is called like its Function, and
 * `target` of its trigger says how many one pod carries.
 */
import { MayflyError } from '../../model/errors.ts';
import type { DemandTable } from '../zero/demand-table.ts';
import { type Call, GrpcError, type GrpcServer, type Method, startGrpcServer, STATUS } from './grpc.ts';
import {
  isActiveResponse,
  metricSpecResponse,
  metricsResponse,
  readMetricsRequest,
  readScaledObjectRef,
  type ScaledObjectRef,
} from './messages.ts';

const SERVICE = '/externalscaler.ExternalScaler/';
const METRIC = 'mayfly_open_requests';
/** How soon a client of StreamIsActive is told. */
const LOOK_EVERY_MS = 100;

/** Throws MayflyError when the port cannot be had. */
export async function startScaler(
  listen: { readonly host: string; readonly port: number },
  demand: DemandTable,
  now: () => number,
): Promise<GrpcServer> {
  try {
    return await startGrpcServer(listen, methodsOf(demand, now));
  } catch (error) {
    throw new MayflyError(`Cannot listen for KEDA: ${(error as Error).message}`, {
      where: `${listen.host}:${listen.port}, --scaler-port`,
      fix: 'Stop the other process, or choose another port.',
      cause: error,
    });
  }
}

function methodsOf(demand: DemandTable, now: () => number): Readonly<Record<string, Method>> {
  const keyOf = ({ namespace, name }: ScaledObjectRef): string => `${namespace}/${name}`;
  return {
    [`${SERVICE}IsActive`]: ({ request, send }) => {
      send(isActiveResponse(demand.isActive(keyOf(read(readScaledObjectRef, request)), now())));
    },
    [`${SERVICE}StreamIsActive`]: async (call) => {
      const key = keyOf(read(readScaledObjectRef, call.request));
      await tellWhenItTurns(call, () => demand.isActive(key, now()));
    },
    [`${SERVICE}GetMetricSpec`]: ({ request, send }) => {
      send(metricSpecResponse(METRIC, targetOf(read(readScaledObjectRef, request))));
    },
    [`${SERVICE}GetMetrics`]: ({ request, send }) => {
      send(metricsResponse(METRIC, demand.load(keyOf(read(readMetricsRequest, request)), now())));
    },
  };
}

/** At once, and then whenever it is otherwise, until the client goes. */
async function tellWhenItTurns({ send, signal }: Call, isActive: () => boolean): Promise<void> {
  let told: boolean | null = null;
  const look = (): void => {
    const active = isActive();
    if (active !== told) send(isActiveResponse(active));
    told = active;
  };
  look();
  const timer = setInterval(look, LOOK_EVERY_MS);
  try {
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    clearInterval(timer);
  }
}

function read(reader: (message: Uint8Array) => ScaledObjectRef, message: Uint8Array): ScaledObjectRef {
  try {
    return reader(message);
  } catch (error) {
    throw new GrpcError(STATUS.invalidArgument, `The message cannot be read: ${(error as Error).message}.`);
  }
}

function targetOf({ metadata }: ScaledObjectRef): number {
  const target = Number(metadata.get('target'));
  if (Number.isFinite(target) && target > 0) return target;
  throw new GrpcError(
    STATUS.invalidArgument,
    'metadata.target must be a number above 0: what one pod carries.',
  );
}
