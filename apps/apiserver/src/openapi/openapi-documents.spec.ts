import { describe, expect, it } from '@jest/globals';
import type { Steps } from '@orrery/apimachinery';
import { OpenApiDocuments } from './openapi-documents.js';

function* of(text: string): Steps<Buffer[]> {
  yield;
  return [Buffer.from(text)];
}

function* broken(): Steps<Buffer[]> {
  yield;
  throw new Error('no');
}

const textOf = async (documents: OpenApiDocuments, id: string, text: string): Promise<string> => {
  const { chunks } = await documents.get(id, 'e', () => of(text));
  return Buffer.concat(chunks).toString();
};

describe('OpenApiDocuments', () => {
  it('makes a document once for all who ask for the same edition', async () => {
    const documents = new OpenApiDocuments();
    const [one, other] = [documents.get('a', 'e', () => of('x')), documents.get('a', 'e', broken)];
    expect(await one).toBe(await other);
    expect(await textOf(documents, 'a', 'y')).toBe('x');
  });

  it('makes it anew after it could not be made', async () => {
    const documents = new OpenApiDocuments();
    await expect(documents.get('a', 'e', broken)).rejects.toThrow('no');
    expect(await textOf(documents, 'a', 'x')).toBe('x');
  });

  it('keeps four editions of a document, those that were asked for last', async () => {
    const documents = new OpenApiDocuments();
    for (const edition of ['1', '2', '3', '4', '1', '5'])
      await documents.get('a', edition, () => of(edition));
    await documents.get('b', '1', () => of('b'));
    expect(documents.keptBytes).toBe(5);
    const again = await documents.get('a', '1', () => of('new'));
    expect(Buffer.concat(again.chunks).toString()).toBe('1');
    const forgotten = await documents.get('a', '2', () => of('new'));
    expect(Buffer.concat(forgotten.chunks).toString()).toBe('new');
  });

  it('keeps so many bytes at most, of the documents that were asked for last', async () => {
    const documents = new OpenApiDocuments(100);
    const text = 'x'.repeat(30);
    for (let i = 0; i < 20; i++) await textOf(documents, `group-${i}`, text);
    expect(documents.keptBytes).toBe(90);
    expect(await textOf(documents, 'group-17', 'new')).toBe(text);
    expect(await textOf(documents, 'group-0', 'new')).toBe('new');
  });

  it('answers with a document for which there is no room', async () => {
    const documents = new OpenApiDocuments(10);
    expect(await textOf(documents, 'a', 'x'.repeat(30))).toHaveLength(30);
    expect(documents.keptBytes).toBe(0);
  });
});
