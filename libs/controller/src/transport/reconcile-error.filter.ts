import type { RpcExceptionFilter } from '@nestjs/common';
import { Catch } from '@nestjs/common';
import { throwError } from 'rxjs';
import type { Observable } from 'rxjs';

/** Hands a reconciler's error to the work queue as it is, where Nest's own filter would hide it. */
@Catch()
export class ReconcileErrorFilter implements RpcExceptionFilter {
  catch(exception: unknown): Observable<never> {
    return throwError(() => exception);
  }
}
