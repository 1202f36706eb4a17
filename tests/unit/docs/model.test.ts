import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const FILES = ['bus', 'element', 'inverter', 'profile'].map((name) => `grid/model/${name}.ts`);

/** Attributes of an inline object type, behind lists and alternatives too, with a dot before them. */
function inner(type: ts.TypeNode | undefined): string[] {
  if (!type) return [];
  if (ts.isTypeLiteralNode(type)) return [...new Set(type.members.flatMap(attributeNames))];
  if (ts.isArrayTypeNode(type)) return inner(type.elementType);
  if (ts.isTypeOperatorNode(type) || ts.isParenthesizedTypeNode(type)) return inner(type.type);
  if (ts.isUnionTypeNode(type)) return [...new Set(type.types.flatMap(inner))];
  return [];
}

function attributeNames(member: ts.TypeElement): string[] {
  if (!ts.isPropertySignature(member) || !ts.isIdentifier(member.name)) return [];
  const name = member.name.text;
  return [name, ...inner(member.type).map((part) => `${name}.${part}`)];
}

/** Exported interfaces with the attributes they declare themselves. */
function declared(text: string, path = 'model.ts'): Map<string, string[]> {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023);
  return new Map(
    source.statements
      .filter(ts.isInterfaceDeclaration)
      .map((statement) => [statement.name.text, statement.members.flatMap(attributeNames)]),
  );
}

/** Sections of the page with the names in the first column and the cells of each row. */
function documented(page: string): Map<string, string[][]> {
  return new Map(
    page
      .split(/^### /m)
      .slice(1)
      .map((section) => [
        section.split('\n')[0]!,
        section
          .split('\n')
          .filter((line) => line.startsWith('| `'))
          .map((line) =>
            line
              .split('|')
              .slice(1, -1)
              .map((cell) => cell.trim()),
          ),
      ]),
  );
}

describe('docs/model.md', () => {
  const types = new Map(FILES.flatMap((path) => [...declared(readFileSync(path, 'utf8'), path)]));
  const tables = documented(readFileSync('docs/model.md', 'utf8'));

  it('has a table for every type of the model and for nothing else', () => {
    expect(types.size).toBeGreaterThan(25);
    expect([...tables.keys()].sort()).toEqual([...types.keys()].sort());
  });

  it.each([...types])('%s: every attribute is in the table, in the order of the declaration', (name, attributes) => {
    expect(tables.get(name)!.map(([first]) => first!.replaceAll('`', ''))).toEqual(attributes);
  });

  it('says source, unit, range and effect of every attribute', () => {
    for (const [name, rows] of tables) {
      for (const row of rows) {
        expect(row, `${name} ${row[0]}`).toHaveLength(6);
        expect(
          row.filter((cell) => cell === ''),
          `${name} ${row[0]}`,
        ).toEqual([]);
      }
    }
  });
});

describe('the reading of declarations', () => {
  it('finds attributes inside inline types, lists and alternatives', () => {
    const text = `export interface A {
      readonly a?: { readonly b: number };
      readonly c: readonly { readonly d: string }[];
      readonly e: { readonly by: 'x'; readonly f: 1 } | { readonly by: 'y' };
    }`;
    expect(declared(text).get('A')).toEqual(['a', 'a.b', 'c', 'c.d', 'e', 'e.by', 'e.f']);
  });
});
