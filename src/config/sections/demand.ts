import { z } from 'zod';
import { path, shaped } from '../scalars.ts';

export const demand = z.strictObject({
  report_to: shaped(
    /^http:\/\/[A-Za-z0-9.:[\]-]+\/demand$/,
    'where an operator listens, such as http://mayfly-demand.mayfly-system.svc:9093/demand',
  )
    .optional()
    .describe(
      'The operator that is told how many requests functions with `upstream.pods` have, so that it makes pods when one waits. Default: nobody is told.',
    ),
  token_file: path('a file, relative to the configuration file')
    .optional()
    .describe(
      'Token of a Kubernetes ServiceAccount with the audience `mayfly-demand`, which reports are sent with; read anew for each. Operators refuse reports without.',
    ),
});
