// Signature help, as engine/assist/signature.ts says.
// Requests: textDocument/signatureHelp.

import type { SignatureHelp, SignatureInformation } from 'vscode-languageserver';
import { type Signature, signatureAt } from '../../../engine/assist/signature.ts';
import type { ClientFeatures } from '../client-features.ts';
import { describeFunction } from './c-function.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { markup } from './markup.ts';
import { placeOf } from './place.ts';

export const signatureHelp: Feature = {
  capabilities: () => ({ signatureHelpProvider: { triggerCharacters: ['(', ','], retriggerCharacters: [' '] } }),
  listen(context: FeatureContext): void {
    context.connection.onSignatureHelp((params): SignatureHelp | null => {
      const place = placeOf(context, params);
      if (place?.isScenario !== true) return null;
      const view = place.view();
      const help = signatureAt(view.analysis, place.offset, (name) => describeFunction(view, name));
      if (help === undefined) return null;
      const client = context.client();
      const { active } = help.signatures[help.active];
      return {
        signatures: help.signatures.map((one) => information(client, one)),
        activeSignature: help.active,
        // Out of range would mean the first.
        activeParameter: active ?? help.signatures[help.active].parameters.length,
      };
    });
  },
};

const formats = ['textDocument', 'signatureHelp', 'signatureInformation', 'documentationFormat'] as const;

function information(client: ClientFeatures, { label, doc, parameters, active }: Signature): SignatureInformation {
  const says = (...path: string[]) => client.declares('textDocument', 'signatureHelp', 'signatureInformation', ...path);
  const byOffset = says('parameterInformation', 'labelOffsetSupport');
  const result: SignatureInformation = {
    label,
    parameters: parameters.map(({ start, end, doc }) => ({
      label: byOffset ? [start, end] : label.slice(start, end),
      ...(doc === '' ? {} : { documentation: markup(client, formats, doc) }),
    })),
  };
  if (doc !== '') result.documentation = markup(client, formats, doc);
  if (says('activeParameterSupport')) result.activeParameter = active ?? parameters.length;
  return result;
}
