// The webview's document: the page's script and style from files of the extension, and nothing inline.

import { Uri, type Webview } from 'vscode';

/** Where the page's files lie, below the extension. */
export const pageFolder = ['dist', 'map'];

export function pageDocument(webview: Webview, extension: Uri): string {
  const file = (name: string) => webview.asWebviewUri(Uri.joinPath(extension, ...pageFolder, name)).toString();
  const { cspSource } = webview;
  const policy = [
    "default-src 'none'",
    `script-src ${cspSource}`,
    `style-src ${cspSource}`,
    `font-src ${cspSource}`,
    `img-src ${cspSource}`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Memory map</title>
<link rel="stylesheet" href="${file('map.css')}">
<script type="module" src="${file('map.js')}"></script>
</head>
<body></body>
</html>
`;
}
