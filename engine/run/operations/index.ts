/** What every operation of the table does, by key. A test holds the keys against the table. */
import type { Operation } from '../operation.ts';
import { firmwareOperations } from './firmware.ts';
import { guestOperations } from './guest.ts';
import { hostOperations } from './host.ts';
import { kernelOperations } from './kernel.ts';

export const operations: Readonly<Record<string, Operation>> = {
  ...firmwareOperations,
  ...guestOperations,
  ...hostOperations,
  ...kernelOperations,
};
