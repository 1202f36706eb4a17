import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { asError, isLocalName, isLoopback, isOwnOrigin } from '../../bus/index.js';
import { DecError } from '../../grid/math/index.js';
import type { SparqlFormat } from './engine.js';
import type { SparqlService } from './sparql-service.js';

/** Where the real platform's store answers: any name space is the same store here. */
const PATH = /^\/(?:bigdata|blazegraph)(?:\/namespace\/[\w.-]+)?\/sparql\/?$/;
/** Largest body of a request, bytes. */
const BODY_MAX_BYTES = 4 * 1024 * 1024;

const CONTENT_TYPES: Readonly<Record<SparqlFormat, string>> = {
  json: 'application/sparql-results+json; charset=utf-8',
  xml: 'application/sparql-results+xml; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
};

/** SPARQL over HTTP, as CIM-Graph and other clients of Blazegraph speak it. */
export interface SparqlEndpoint {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Opens the endpoint. It knows no logins: pages of elsewhere are not answered, and on loopback nobody who knows it by another name
 * than this machine's.
 * @throws DecError `PORT_IN_USE`
 */
export async function openSparqlEndpoint(
  service: Pick<SparqlService, 'query'>,
  host: string,
  port: number,
): Promise<SparqlEndpoint> {
  const isLocal = isLoopback(host);
  const server = createServer((request, response) => {
    const refusal = refusalOf(request, isLocal);
    if (refusal !== undefined) {
      send(response, refusal.status, 'text/plain; charset=utf-8', refusal.text);
      return;
    }
    answer(service, request, response).catch((error: unknown) => {
      const known = error instanceof DecError;
      const status = !known || error.code === 'INTERNAL' ? 500 : error.code === 'TIMEOUT' ? 503 : 400;
      send(response, status, 'text/plain; charset=utf-8', asError(error).message);
    });
  });
  await listen(server, host, port);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') reject(error);
      else {
        const message = `Port ${port} on ${host} is in use; choose another one for SPARQL.`;
        reject(new DecError('PORT_IN_USE', message, { host, port }));
      }
    });
    server.listen(port, host, resolve);
  });
}

/** Why a request is not answered, whatever it asks; undefined when it is. */
function refusalOf({ headers }: IncomingMessage, isLocal: boolean): { status: number; text: string } | undefined {
  const { host, origin, 'sec-fetch-site': site } = headers;
  if (isLocal && !isLocalName(host)) {
    const text = `SPARQL is answered to this machine only, and not as "${host ?? ''}": ask http://localhost or http://127.0.0.1.`;
    return { status: 421, text };
  }
  // A page elsewhere could not read the answer, but have the store work for it; what it only fetches has no Origin.
  if (isOwnOrigin(host, origin) && site !== 'cross-site') return undefined;
  const from = origin ?? 'another site';
  return { status: 403, text: `SPARQL is not answered to pages of ${from}: ask from a program, or over STOMP.` };
}

async function answer(
  service: Pick<SparqlService, 'query'>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  if (!PATH.test(pathname)) {
    send(response, 404, 'text/plain', 'SPARQL is answered at /bigdata/namespace/kb/sparql.');
    return;
  }
  if (request.method !== 'GET' && request.method !== 'POST') {
    send(response, 405, 'text/plain', 'GET or POST is expected.');
    return;
  }
  const body = request.method === 'POST' ? await bodyOf(request) : '';
  const type = request.headers['content-type'] ?? '';
  const form = /x-www-form-urlencoded/i.test(type) ? new URLSearchParams(body) : undefined;
  const direct = /sparql-(query|update)/i.test(type) ? body : undefined;
  const parameter = (name: string) => form?.get(name) ?? searchParams.get(name) ?? undefined;
  const query = direct ?? parameter('query') ?? parameter('update');
  if (query === undefined) throw new DecError('BAD_ARGUMENT', 'The parameter "query" is missing.');
  const wanted = [parameter('format'), parameter('output'), parameter('results'), request.headers.accept].join(' ');
  const format = formatOf(wanted);
  send(response, 200, CONTENT_TYPES[format], await service.query(query, format));
}

/** JSON is what the clients of Blazegraph read; the others only where they alone are asked for. */
function formatOf(wanted: string): SparqlFormat {
  if (/json/i.test(wanted)) return 'json';
  if (/csv/i.test(wanted)) return 'csv';
  return /xml/i.test(wanted) && !/html/i.test(wanted) ? 'xml' : 'json';
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request) {
    const buffer = Buffer.from(piece);
    bytes += buffer.length;
    if (bytes > BODY_MAX_BYTES) throw new DecError('BAD_ARGUMENT', 'The query is too long.', { bytes });
    pieces.push(buffer);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function send(response: ServerResponse, status: number, contentType: string, text: string | Uint8Array): void {
  const { req } = response;
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(text),
    // What of a refused body was not read would stand before the next request.
    ...(req.complete ? {} : { connection: 'close' }),
  });
  response.end(text);
  req.resume();
}
