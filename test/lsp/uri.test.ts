// URIs: one canonical spelling, and what a name in a file means.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalUri, folderOf, isInFolder, modelPathOf, resolveUri, uriOfPath } from '../../server/common/uri.ts';

test('spellings of one file are one', () => {
  for (const spelling of [
    'file:///c%3A/a%20b.c',
    'file:///C:/a b.c',
    'FILE:///c:/a%20b.c',
    'file://localhost/c:/a b.c',
  ]) {
    assert.equal(canonicalUri(spelling), 'file:///c:/a%20b.c');
  }
  assert.equal(canonicalUri('file:///ä/%C3%A4/100%.c'), 'file:///%C3%A4/%C3%A4/100%25.c');
  assert.equal(canonicalUri('file:///a#b?c'), 'file:///a#b?c');
  assert.equal(canonicalUri('file:///a%23b%3Fc'), 'file:///a%23b%3Fc');
  assert.equal(canonicalUri('untitled:Untitled-1'), 'untitled:Untitled-1');
  assert.equal(canonicalUri('no uri'), 'no uri');
});

test('canonical is canonical', () => {
  for (const uri of [
    'file:///a%2525',
    'file:///%',
    'x:y?z#w',
    'vscode-vfs://github/a b',
    'file:',
    '',
    'file:///\ud800',
  ]) {
    assert.equal(canonicalUri(canonicalUri(uri)), canonicalUri(uri));
  }
});

test('a name is relative to the file it stands in, absolute, or a URI', () => {
  const from = 'file:///home/me/my%20scenarios/a.snpscenario';
  assert.equal(resolveUri(from, 'b.c'), 'file:///home/me/my%20scenarios/b.c');
  assert.equal(resolveUri(from, './../x/./b#1.c'), 'file:///home/me/x/b%231.c');
  assert.equal(resolveUri(from, '../../../../../b.c'), 'file:///b.c');
  assert.equal(resolveUri(from, '/usr/src/100%.c'), 'file:///usr/src/100%25.c');
  assert.equal(resolveUri(from, 'a\\b.c'), 'file:///home/me/my%20scenarios/a%5Cb.c');
  assert.equal(resolveUri(from, 'file:///x/y.c'), 'file:///x/y.c');
  assert.equal(resolveUri('file:///c:/a/b.snpscenario', '..\\x\\y.c'), 'file:///c:/x/y.c');
  assert.equal(resolveUri('file:///c:/a/b.snpscenario', 'D:\\x\\y.c'), 'file:///d:/x/y.c');
  assert.equal(resolveUri('vscode-vfs://github/o/r/a.snpscenario', '../b.c'), 'vscode-vfs://github/o/b.c');
  assert.equal(resolveUri('untitled:Untitled-1', 'b.c'), undefined);
  assert.equal(resolveUri('untitled:Untitled-1', '/b.c'), 'file:///b.c');
});

test('folders', () => {
  assert.equal(folderOf('file:///a/b/c.c'), 'file:///a/b');
  assert.ok(isInFolder('file:///a/b/c.c', 'file:///a'));
  assert.ok(isInFolder('file:///a/b/c.c', 'file:///a/'));
  assert.ok(!isInFolder('file:///ab/c.c', 'file:///a'));
});

test('the bundled models are URIs for the client and back', () => {
  assert.equal(uriOfPath('model:kvm-rfc-v8/sev.c'), 'snp-model:/kvm-rfc-v8/sev.c');
  assert.equal(modelPathOf('snp-model:/kvm-rfc-v8/sev.c'), 'kvm-rfc-v8/sev.c');
  assert.equal(modelPathOf('file:///kvm-rfc-v8/sev.c'), undefined);
  assert.equal(uriOfPath('file:///x.c'), 'file:///x.c');
});
