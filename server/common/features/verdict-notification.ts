// Tells a client that wants to know how each scenario of an open document fares, for gutters, status and the Test Explorer. Diagnostics say what is
// wrong; this also says what is right, and that there has been a verdict at all.
// Notifications to the client: snpScenario/verdict.

import { scenarioIds } from '../../../engine/scenario/outline.ts';
import { type VerdictParams, verdictNotification } from '../protocol.ts';
import type { Verdict } from '../verdicts.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { groupProblems } from './scenario-problems.ts';

/** ms from one notification about a document to the next, for each of its scenarios: a file of thousands is not told of at every key. */
const pausePerScenario = 1;
const longestPause = 1000;

export const verdictNotifications: Feature = {
  capabilities: () => ({}),
  listen: (context) => {
    const waiting = new Map<string, Verdict>();
    const sent = new Map<string, number>();
    const { documents, platform, verdicts } = context;
    const send = (verdict: Verdict) => {
      waiting.delete(verdict.uri);
      if (documents.get(verdict.uri) === undefined) {
        sent.delete(verdict.uri);
        return;
      }
      sent.set(verdict.uri, platform.now());
      context.connection.sendNotification(verdictNotification, paramsOf(context, verdict)).catch(() => {});
    };
    verdicts.onVerdict((verdict) => {
      if (!context.client().verdicts) return;
      const { uri } = verdict;
      const isWaiting = waiting.has(uri);
      waiting.set(uri, verdict);
      if (isWaiting) return;
      const pause = Math.min(longestPause, verdict.result.scenarios.length * pausePerScenario);
      const left = (sent.get(uri) ?? Number.NEGATIVE_INFINITY) + pause - platform.now();
      const sendLatest = () => {
        const latest = waiting.get(uri);
        if (latest !== undefined) send(latest);
      };
      if (left <= 0) sendLatest();
      else platform.after(left, sendLatest);
    });
  },
};

function paramsOf({ documents }: FeatureContext, { uri, version, result, milliseconds }: Verdict): VerdictParams {
  const spelling = (one: string) => documents.spelling(one);
  const { scenarios: problems, outside } = groupProblems(result, spelling);
  const ids = scenarioIds(result.scenarios.map(({ name }) => name));
  const scenarios = result.scenarios.map(({ name, doc, range, status, steps }, i) => ({
    id: ids[i],
    name,
    doc,
    range,
    status,
    steps,
    problems: problems[i],
  }));
  return { uri: spelling(uri), version, scenarios, errors: outside, milliseconds };
}
