import type { IncomingMessage } from 'node:http';
import { commonLogTime, pathOf, remoteOf, runHttp, whoAmI } from '../http-program.js';
import type { HttpAnswer } from '../http-program.js';
import type { ProgramContext, RunningProgram } from '../program.js';
import { staticFile } from '../static-files.js';

const ROOT = '/usr/local/tomcat/webapps/ROOT';
const HTML = { 'Content-Type': 'text/html;charset=UTF-8' };

function answer(context: ProgramContext, version: string, request: IncomingMessage): HttpAnswer {
  const path = pathOf(request);
  const file = path === undefined ? 'missing' : staticFile(context, ROOT, path);
  if (file && file !== 'missing')
    return { status: 200, headers: { 'Content-Type': file.type }, body: file.body };
  if (file !== 'missing' && path === '/')
    return {
      status: 200,
      headers: HTML,
      body: `<!DOCTYPE html>\n<html lang="en"><head><title>Apache Tomcat/${version}</title></head>\n<body><h1>Apache Tomcat/${version}</h1>\n<pre>\n${whoAmI(context)}</pre></body></html>\n`,
    };
  return {
    status: 404,
    headers: HTML,
    body: `<!doctype html><html lang="en"><head><title>HTTP Status 404 – Not Found</title></head><body><h1>HTTP Status 404 – Not Found</h1><h3>Apache Tomcat/${version}</h3></body></html>`,
  };
}

export function tomcat(context: ProgramContext): Promise<RunningProgram> {
  const version = /^\d+(?:\.\d+)*/.exec(context.tag)?.[0] ?? '11.0.14';
  return runHttp(context, {
    port: 8080,
    server: undefined,
    answer: (request) => answer(context, version, request),
    accessLine: (request, status, bytes) =>
      `${remoteOf(request)} - - [${commonLogTime(context.clock.now())}] "${request.method ?? ''} ${request.url ?? ''} HTTP/${request.httpVersion}" ${status} ${bytes}`,
    bindError: (at, _errno, text) =>
      `SEVERE [main] org.apache.catalina.util.LifecycleBase.handleSubClassException Failed to initialize component [Connector["http-nio-8080"]]\n\tjava.net.BindException: ${text} (${at})`,
    greeting: [
      `INFO [main] org.apache.catalina.startup.Catalina.start Server startup in [1] milliseconds`,
    ],
  });
}
