import { Catch } from '@nestjs/common';
import type { ExceptionFilter, Type } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import { rpcsOf } from './codec.js';
import type { ServiceName } from './codec.js';
import type { ImageServiceHandlers, RuntimeServiceHandlers } from './gen/services.js';
import { patternOf } from './server.js';

interface HandlersOf {
  readonly RuntimeService: RuntimeServiceHandlers;
  readonly ImageService: ImageServiceHandlers;
}

/** Lets a CriError reach the transport as it is; Nest's own filter would hide its text. */
@Catch()
export class CriExceptionFilter implements ExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}

/**
 * Gives each RPC of `service` as a message handler to a Nest controller class, whose method of the same name
 * answers it. The class says `implements RuntimeServiceHandlers`, so the compiler checks that none is missing.
 */
export function CriController<Name extends ServiceName>(service: Name) {
  return (target: Type<HandlersOf[Name]>): void => {
    const prototype = target.prototype as object;
    for (const { method } of rpcsOf(service)) {
      const descriptor = Object.getOwnPropertyDescriptor(prototype, method);
      if (!descriptor) continue;
      MessagePattern(patternOf(service, method))(prototype, method, descriptor);
      Payload()(prototype, method, 0);
      Ctx()(prototype, method, 1);
    }
  };
}
