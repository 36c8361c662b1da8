/** `RateLimit`: how many requests a caller may send to the functions that name it. */
import { z } from 'zod';
import { rateLimit } from '../../config/sections/limits.ts';
import { inCamelCase } from './camel-case.ts';

export const rateLimitSpec = z.strictObject(inCamelCase(rateLimit.shape));

export type RateLimitSpec = z.output<typeof rateLimitSpec>;
