/** Patches made for the tests, in the forms in which patches travel. */
import { createTwoFilesPatch } from 'diff';

/** A small file in kernel style; `svm/sev.c` before the patch. */
export const BASE = `// SPDX-License-Identifier: MIT
#include "svm.h"

/*
 * A comment that isn't short, so that a hunk's context
 * can begin inside of it, with an apostrophe (don't) in it.
 */
static int get_level(int order)
{
	int level = 0;

	if (order >= 9) {
		level = 1;
		order -= 9;
	}

	level += order;
	trace_level(level);
	check_level(level);
	store_level(level);
	return level;
}

/*
 * Another comment, which follows the function, doesn't end
 * within three lines, and so is cut by the hunk's end.
 * TODO: it's here.
 */
static struct ops svm_ops = {
	.get_level = get_level,
	.b = b,
};
`;

/** The same after it: a new function after the first one. */
export const ADDED_FUNCTION = `
static int make_shared(int pfn, int level)
{
	/* Isn't this nice? */
	if (level == 1 && pfn % 2 == 0) {
		p("%s: \\"quoted\\"\\n", __func__);
		return -22;
	}

	return get_level(pfn);
}
`;

export const withFunction = (base = BASE, added = ADDED_FUNCTION): string =>
  base.replace('\treturn level;\n}\n', (end) => `${end}${added}`);

/** `git diff` of one file. */
export function gitDiff(path: string, before: string, after: string, context = 3): string {
  const body = createTwoFilesPatch(`a/${path}`, `b/${path}`, before, after, undefined, undefined, { context });
  return `diff --git a/${path} b/${path}\nindex 1111111..2222222 100644\n${body.replace(/^=+\n/, '')}`;
}

/** What `git format-patch` writes. */
export function mail(diff: string, subject = '[PATCH 1/2] KVM: SVM: Share pages'): string {
  return `From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001
From: A Developer <dev@example.org>
Date: Mon, 20 Feb 2023 12:38:39 -0600
Subject: ${subject}

This isn't C: it says so { and (, and has a list
 - of things
 + of other things

Signed-off-by: A Developer <dev@example.org>
---
 svm/sev.c | 12 ++++++++++++
 1 file changed, 12 insertions(+)

${diff}-- 
2.25.1

`;
}

/** What a mailing-list archive's page looks like when it is saved as text. */
export function page(diff: string): string {
  return `All of lore.example.org
 help / color / mirror / Atom feed
${mail(diff).replace(/^From .*\n/, '')}
  parent reply	other threads:[~2023-02-20 18:58 UTC|newest]

Thread overview: 2+ messages / expand[flat|nested]  mbox.gz  Atom feed  top
2023-02-20 18:37 [PATCH 0/2] Sharing pages A Developer
2023-02-20 18:37 \` [PATCH 1/2] KVM: SVM: Share pages A Developer
2023-03-01 10:25   \` Somebody's reply

Reply instructions:

* Reply using the --to, --cc, and --in-reply-to
  switches of git-send-email(1):

  git send-email \\
    --to=dev@example.org \\
    /path/to/YOUR_REPLY
`;
}

/** A reply that quotes the patch. */
export const reply = (diff: string): string =>
  `From: Somebody <some@example.org>\nSubject: Re: [PATCH 1/2] KVM: SVM: Share pages\n\n${mail(diff)
    .split('\n')
    .map((l) => `> ${l}`)
    .join('\n')}\n\nWhat about this?\n`;
