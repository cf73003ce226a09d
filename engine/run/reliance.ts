/**
 * What a verdict says about itself when the result it is about depended on an option of the host: on a point that no public text settles, or in which
 * processors differ. With another value of the option the same instruction on the same state would have given another result.
 */
import { type HardwareOptionRow, reliedOptions } from '../hardware/options.ts';

/** The sentence that goes with a message, with a blank before it; empty if the result depended on nothing of the kind. */
export function relianceNote(reliedOn: number): string {
  if (reliedOn === 0) return '';
  const options = reliedOptions(reliedOn);
  return [
    sentence(
      options.filter((option) => option.question !== '-'),
      'which no public text settles',
    ),
    sentence(
      options.filter((option) => option.question === '-'),
      'in which processors differ',
    ),
  ].join('');
}

function sentence(options: readonly HardwareOptionRow[], what: string): string {
  if (options.length === 0) return '';
  const names = options.map((option) => option.name + (option.question === '-' ? '' : ` (${option.question})`));
  const last = names.pop();
  const list = names.length === 0 ? last : `${names.join(', ')} and ${last}`;
  return ` This depends on ${options.length === 1 ? 'option' : 'the options'} ${list}, ${what}.`;
}
