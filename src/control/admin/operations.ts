/** The admin API, operation by operation. */
import { z } from 'zod';
import type { InvokeOrder, InvokeResult } from '../invoke.ts';
import type { GuestLogs } from '../guest-logs.ts';
import type { ControlPlane } from '../plane.ts';
import { noSuchFunction, noSuchRevision, type FunctionRecord, type Revision } from '../records.ts';
import type { RolloutProgress } from '../rollout-driver.ts';
import { ordered } from '../rollouts.ts';
import type { State } from '../state.ts';
import { deployBody, type DeployBody } from './deploy-body.ts';
import type { Source } from '../deploy.ts';
import { openApi } from './openapi.ts';
import { operation, type Operation } from './operation.ts';
import * as schemas from './schemas.ts';
import { eventView, invocationView, logView, revisionView, rolloutView, summaryView } from './views.ts';

export interface AdminServices {
  readonly plane: ControlPlane;
  readonly state: State;
  readonly logs: GuestLogs;
  rolloutProgress(name: string): RolloutProgress | null;
  /** Schema of one function's settings (config: `functionSettings`). */
  readonly settings: z.ZodType;
  /** Of Mayfly. */
  readonly version: string;
  invoke(order: InvokeOrder): Promise<InvokeResult>;
  status(): z.infer<typeof schemas.status>;
  reload(): Promise<z.infer<typeof schemas.reloadReport>>;
}

const EVENTS_SHOWN = 20;

export function createOperations(services: AdminServices): readonly Operation[] {
  const { plane, state, logs } = services;

  const find = (name: string): FunctionRecord => {
    const record = state.function(name);
    if (record === null) throw noSuchFunction(name);
    return record;
  };

  const rolloutOf = (record: FunctionRecord) => {
    const rollout = state.rollouts.of(record.name);
    return rollout && rolloutView(rollout, record.traffic, services.rolloutProgress(record.name));
  };

  const summary = (record: FunctionRecord) => {
    const newest = Math.max(...record.traffic.map((share) => share.revision));
    const revision = state.revision(record.name, newest) as Revision;
    return summaryView(record, plane.routes(record.name), revision, rolloutOf(record));
  };

  const detail = (name: string) => ({
    ...summary(find(name)),
    revisions: state.revisions(name).map(revisionView),
    events: state.events(EVENTS_SHOWN, name).map(eventView),
  });

  const byName = z.object({ name: schemas.functionName });

  const operations: Operation[] = [
    operation({
      id: 'listFunctions',
      method: 'GET',
      path: '/v1/functions',
      summary: 'All functions.',
      answers: { 200: { schema: schemas.functionList, text: 'The functions, by name.' } },
      handle: () => ({ status: 200, json: { functions: state.functions().map(summary) } }),
    }),

    operation({
      id: 'getFunction',
      method: 'GET',
      path: '/v1/functions/{name}',
      summary: 'One function with its revisions, traffic and latest events.',
      params: byName,
      answers: { 200: { schema: schemas.functionDetail, text: 'The function.' } },
      problems: [404],
      handle: ({ params }) => ({ status: 200, json: detail(params.name) }),
    }),

    operation({
      id: 'deployFunction',
      method: 'PUT',
      path: '/v1/functions/{name}',
      summary: 'Deploys code, settings, or both. Answers when every new request is served by it.',
      params: byName,
      query: schemas.deployQuery,
      body: { raw: deployBody(services.settings) },
      answers: {
        200: {
          schema: schemas.deployment,
          text: 'This code with this configuration was there; it serves again.',
        },
        201: { schema: schemas.deployment, text: 'A new revision.' },
      },
      problems: [404, 409, 413, 415, 422, 507],
      async handle({ params, query, body, actor }) {
        const outcome = await plane.deploy({
          function: params.name,
          source: sourceOf(body),
          settings: body.settings,
          percent: query.percent ?? null,
          actor,
        });
        const json = {
          function: params.name,
          revision: revisionView(outcome.revision),
          created: outcome.created,
          traffic: outcome.traffic,
        };
        return { status: outcome.created ? 201 : 200, json };
      },
    }),

    operation({
      id: 'removeFunction',
      method: 'DELETE',
      path: '/v1/functions/{name}',
      summary: 'Removes a function with all its revisions. One that mayfly.yaml names is refused.',
      params: byName,
      answers: { 204: { schema: null, text: 'It is gone.' } },
      problems: [404, 409],
      async handle({ params, actor }) {
        await plane.remove(params.name, actor);
        logs.forget(params.name);
        return { status: 204 };
      },
    }),

    operation({
      id: 'listRevisions',
      method: 'GET',
      path: '/v1/functions/{name}/revisions',
      summary: 'The revisions of a function.',
      params: byName,
      answers: { 200: { schema: schemas.revisionList, text: 'Newest first.' } },
      problems: [404],
      handle({ params }) {
        find(params.name);
        return { status: 200, json: { revisions: state.revisions(params.name).map(revisionView) } };
      },
    }),

    operation({
      id: 'getRevision',
      method: 'GET',
      path: '/v1/functions/{name}/revisions/{number}',
      summary: 'One revision.',
      params: byName.extend({ number: z.coerce.number().pipe(z.int().min(1)) }),
      answers: { 200: { schema: schemas.revision, text: 'The revision.' } },
      problems: [404],
      handle({ params }) {
        const revision = state.revision(find(params.name).name, params.number);
        if (revision === null) throw noSuchRevision(params.name, params.number);
        return { status: 200, json: revisionView(revision) };
      },
    }),

    operation({
      id: 'promoteRevision',
      method: 'POST',
      path: '/v1/functions/{name}/promote',
      summary: 'Gives a revision a percentage of the requests.',
      params: byName,
      body: { json: schemas.promotion },
      answers: { 200: { schema: schemas.traffic, text: 'Who gets what from now on.' } },
      problems: [404, 413, 415, 422],
      async handle({ params, body, actor }) {
        const traffic = await plane.promote(params.name, body.revision, body.percent, actor);
        return { status: 200, json: { traffic } };
      },
    }),

    operation({
      id: 'rollbackFunction',
      method: 'POST',
      path: '/v1/functions/{name}/rollback',
      summary: 'Gives all requests to an earlier revision.',
      params: byName,
      body: { json: schemas.rollbackOrder, optional: true },
      answers: { 200: { schema: schemas.traffic, text: 'Who gets what from now on.' } },
      problems: [404, 413, 415, 422],
      async handle({ params, body, actor }) {
        return { status: 200, json: { traffic: await plane.rollback(params.name, body.revision, actor) } };
      },
    }),

    operation({
      id: 'steerRollout',
      method: 'POST',
      path: '/v1/functions/{name}/rollout',
      summary: 'Pauses, resumes, completes or aborts the rollout of a function.',
      params: byName,
      body: { json: schemas.rolloutOrder },
      answers: { 200: { schema: schemas.rolloutAnswer, text: 'The rollout as it is now.' } },
      problems: [404, 409, 413, 415, 422],
      async handle({ params: { name }, body, actor }) {
        await plane.shift(name, actor, (_, rollout) => ordered(rollout, name, body.order, Date.now()));
        return { status: 200, json: { rollout: rolloutOf(find(name)) as z.infer<typeof schemas.rollout> } };
      },
    }),

    operation({
      id: 'invokeFunction',
      method: 'POST',
      path: '/v1/functions/{name}/invoke',
      summary: 'Sends one request through the gateway, all its stages included, and reports the answer.',
      params: byName,
      body: { json: schemas.invocation, optional: true },
      answers: {
        200: { schema: schemas.invocationResult, text: 'What the gateway answered, whatever its status.' },
      },
      problems: [404, 413, 415, 502],
      async handle({ params, body }) {
        find(params.name);
        const [route] = plane.routes(params.name);
        const result = await services.invoke({
          method: body.method,
          path: body.path ?? (route?.path ?? '/').replace(/\*$/, ''),
          headers: { ...(route?.host == null ? {} : { host: route.host }), ...body.headers },
          body: Buffer.from(body.body, body.encoding),
        });
        return { status: 200, json: invocationView(result) };
      },
    }),

    operation({
      id: 'readLogs',
      method: 'GET',
      path: '/v1/functions/{name}/logs',
      summary: 'What the function logged, one JSON document a line.',
      params: byName,
      query: schemas.logQuery,
      answers: { 200: { schema: schemas.logLine, text: 'Oldest first.', lines: true } },
      problems: [404],
      handle({ params, query }) {
        const { name } = find(params.name);
        return {
          status: 200,
          follow: query.follow === 'true',
          lines(send) {
            for (const line of logs.tail(name, query.lines)) send(logView(line));
            return logs.follow(name, (line) => send(logView(line)));
          },
        };
      },
    }),

    operation({
      id: 'listEvents',
      method: 'GET',
      path: '/v1/events',
      summary: 'Who did what to which function.',
      query: schemas.eventQuery,
      answers: { 200: { schema: schemas.eventList, text: 'Newest first.' } },
      handle: ({ query }) => ({ status: 200, json: { events: state.events(query.limit).map(eventView) } }),
    }),

    operation({
      id: 'getStatus',
      method: 'GET',
      path: '/v1/status',
      summary: 'Threads, snapshot, warnings and the last reload.',
      answers: { 200: { schema: schemas.status, text: 'How it is.' } },
      handle: () => ({ status: 200, json: services.status() }),
    }),

    operation({
      id: 'reload',
      method: 'POST',
      path: '/v1/reload',
      summary: 'Reads the configuration again, as SIGHUP does.',
      answers: {
        200: {
          schema: schemas.reloadReport,
          text: 'What came of it; `ok` says whether the new file is in force.',
        },
      },
      handle: async () => ({ status: 200, json: await services.reload() }),
    }),

    operation({
      id: 'getOpenApi',
      method: 'GET',
      path: '/openapi.json',
      summary: 'This description.',
      open: true,
      answers: { 200: { schema: z.record(z.string(), z.unknown()), text: 'OpenAPI 3.1.' } },
      handle: () => ({ status: 200, json: description }),
    }),
  ];
  const description = openApi(operations, services.version);
  return operations;
}

function sourceOf({ wasm, image }: DeployBody): Source | null {
  if (wasm !== null) return { type: 'upload', wasm, label: 'upload' };
  return image === null ? null : { type: 'image', reference: image };
}
