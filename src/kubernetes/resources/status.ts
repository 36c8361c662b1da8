/** What the operator says of an object (https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md). */
import { z } from 'zod';
import { choice, integer } from '../../config/scalars.ts';

const word = z.string();

export const condition = z.strictObject({
  type: word.describe('What it is about.'),
  status: choice(['True', 'False', 'Unknown']).describe('Whether it is so.'),
  reason: word.describe('Why, in one word for programs.'),
  message: word.describe('Why, in a sentence for people.'),
  lastTransitionTime: word.describe('Since when it is so.'),
  observedGeneration: integer(0).describe('The generation of the spec that it speaks of.'),
});

export type Condition = z.output<typeof condition>;

export const functionStatus = z.strictObject({
  observedGeneration: integer(0).optional().describe('The generation of the spec that was last looked at.'),
  replicas: integer(0).optional().describe('Pods that exist.'),
  readyReplicas: integer(0).optional().describe('Pods that answer.'),
  selector: word.optional().describe('Label selector of the pods, for autoscalers.'),
  served: word
    .optional()
    .describe('What every pod of the gateway was last seen to serve of it, as a hash (`isolate`).'),
  rollout: z
    .strictObject({
      stable: word.describe('The image that holds its objective.'),
      candidate: word.optional().describe('The image that is tried, or was.'),
      phase: choice(['Stable', 'Running', 'Paused', 'RolledBack']).describe('How it stands.'),
      weight: integer(0, 100).optional().describe('Percent that the candidate gets.'),
      step: integer(1).optional().describe('Which of the steps, from 1.'),
      window: integer(1).optional().describe('How often it was counted anew.'),
      since: word.optional().describe('Since when this is counted.'),
      reason: word.optional().describe('Why it is so.'),
    })
    .optional()
    .describe('How far the newest image is, where `rollout` is set.'),
  conditions: z.array(condition).optional().describe('Ready, Progressing and Degraded.'),
});

export const gatewayStatus = z.strictObject({
  observedGeneration: integer(0).optional().describe('The generation of the spec that was last looked at.'),
  replicas: integer(0).optional().describe('Pods that exist.'),
  readyReplicas: integer(0).optional().describe('Pods that answer.'),
  currentReplicas: integer(0).optional().describe('Of those, the ones that serve `configuration`.'),
  selector: word.optional().describe('Label selector of the pods, for autoscalers.'),
  functions: integer(0).optional().describe('Functions in `configuration`.'),
  configuration: word.optional().describe('Hash of the mayfly.yaml that the pods should serve.'),
  conditions: z.array(condition).optional().describe('Ready, Progressing and Degraded.'),
});

/** Of what is only ever named by others. */
export const settingStatus = z.strictObject({
  observedGeneration: integer(0).optional().describe('The generation of the spec that was last looked at.'),
  conditions: z.array(condition).optional().describe('Ready.'),
});

export type FunctionStatus = z.output<typeof functionStatus>;

/** What is known of a condition before it is compared with what was known. */
export type Finding = Omit<Condition, 'lastTransitionTime' | 'observedGeneration'>;

/** The time of a condition moves only when its status does. */
export function conditionsFrom(
  findings: readonly Finding[],
  before: readonly Condition[],
  generation: number,
  now: number,
): Condition[] {
  return findings.map((finding) => {
    const known = before.find(({ type }) => type === finding.type);
    const since =
      known?.status === finding.status
        ? known.lastTransitionTime
        : `${new Date(now).toISOString().slice(0, 19)}Z`;
    return { ...finding, lastTransitionTime: since, observedGeneration: generation };
  });
}
