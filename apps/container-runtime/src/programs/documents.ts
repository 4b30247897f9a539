import type { ImageFile } from '../catalog/image-definitions.js';
import type { ProgramName } from '../catalog/catalog.js';

/** The page that a server's image holds; the server itself has a livelier one until somebody looks into the container. */
const page = (path: string, text: string): ImageFile[] => [{ path, text, mode: 0o644 }];

/** What images of servers hold to be served, by the server. */
export const DOCUMENTS: Readonly<Partial<Record<ProgramName, readonly ImageFile[]>>> = {
  httpd: page(
    '/usr/local/apache2/htdocs/index.html',
    '<html><body><h1>It works!</h1></body></html>\n',
  ),
  nginx: page(
    '/usr/share/nginx/html/index.html',
    '<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n<h1>Welcome to nginx!</h1>\n</body>\n</html>\n',
  ),
};
