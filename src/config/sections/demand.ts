import { z } from 'zod';
import { shaped } from '../scalars.ts';

export const demand = z.strictObject({
  report_to: shaped(
    /^http:\/\/[A-Za-z0-9.:[\]-]+\/demand$/,
    'where an operator listens, such as http://mayfly-demand.mayfly-system.svc:9093/demand',
  )
    .optional()
    .describe(
      'The operator that is told how many requests functions with `upstream.pods` have, so that it makes pods when one waits. Default: nobody is told.',
    ),
});
