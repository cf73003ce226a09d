// A reader that lets only those messages through that the server can take; see message-guard.ts.

import type { DataCallback, Disposable, Message, MessageReader, MessageWriter } from 'vscode-languageserver';
import { MessageGuard } from './message-guard.ts';

export function guarded(reader: MessageReader, writer: MessageWriter, log: (text: string) => void): MessageReader {
  const guard = new MessageGuard();
  return {
    onError: reader.onError,
    onClose: reader.onClose,
    onPartialMessage: reader.onPartialMessage,
    dispose: () => reader.dispose(),
    listen(callback: DataCallback): Disposable {
      return reader.listen((message: Message) => {
        const judgement = guard.judge(message);
        if ('pass' in judgement) callback(judgement.pass);
        else if ('reply' in judgement) writer.write(judgement.reply).catch(() => {});
        else log(`Ignored: ${judgement.drop}`);
      });
    },
  };
}
