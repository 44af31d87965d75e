import { describe, expect, it } from 'vitest';
import type { Json } from '#values/json.ts';
import { renderKriti } from '#webhook/kriti/evaluate.ts';
import { KritiError } from '#webhook/kriti/tree.ts';

const BODY: Json = {
  a: { b: [1, 2, { c: 'x' }] },
  'odd key': true,
  name: 'Ann',
  none: null,
  n: 4,
  list: ['p', 'q'],
};
const SESSION = { 'x-hasura-user-id': '7' };

const render = (template: string, body: Json = BODY) =>
  renderKriti(template, {
    variables: new Map<string, Json>([
      ['$body', body],
      ['$session_variables', SESSION],
    ]),
    sessionVariables: SESSION,
  });

describe('a Kriti template', () => {
  it.each<[template: string, value: Json]>([
    ['{"a": [1, -2.5e1, true, null, "t"]}', { a: [1, -25, true, null, 't'] }],
    ['{{ $body.a.b[2].c }}', 'x'],
    ["{{ $body['odd key'] }}", true],
    ['{{ $body["odd key"] }}', true],
    ['"Hello {{ $body.name }}, {{ $body.n }}!"', 'Hello Ann, 4!'],
    ['{{ $body?.missing }}', null],
    ['{{ $body?.missing?.deeper }}', null],
    ['{{ $body?.missing ?? "default" }}', 'default'],
    ['{{ $body.none ?? $body.n }}', 4],
    ["{{ $session_variables['x-hasura-user-id'] }}", '7'],
    ['{{ getSessionVariable("X-Hasura-User-Id") }}', '7'],
    ['{{ if $body.n > 3 && $body.name == "Ann" }} "yes" {{ else }} "no" {{ end }}', 'yes'],
    ['{{ if $body.n < 3 }} 1 {{ elif $body.n <= 4 }} 2 {{ else }} 3 {{ end }}', 2],
    ['{{ if not("p" in $body.list) || false }} 1 {{ else }} 2 {{ end }}', 2],
    [
      '{{ range i, x := $body.list }} {"at": {{ i }}, "is": {{ x }}} {{ end }}',
      [
        { at: 0, is: 'p' },
        { at: 1, is: 'q' },
      ],
    ],
    ['{{ range _, x := $body.list }} "{{ x }}!" {{ end }}', ['p!', 'q!']],
    ['{{ concat([[1], [2, 3]]) }}', [1, 2, 3]],
    ['{{ concat(["a", "b"]) }}', 'ab'],
    ['{{ size($body.list) }}', 2],
    ['{{ empty({}) }}', true],
    ['{{ inverse(4) }}', 0.25],
    ['{{ head("äb") }}', 'ä'],
    ['{{ tail([1, 2]) }}', [2]],
    ['{{ toUpper($body.name) }}', 'ANN'],
    ['{{ toTitle("ann bea") }}', 'Ann Bea'],
    ['{{ toPairs({"a": 1}) }}', [['a', 1]]],
    ['{{ fromPairs([["a", 1]]) }}', { a: 1 }],
    ['{{ removeNulls([1, null]) }}', [1]],
    ['{{ escapeUri("a b&c") }}', 'a%20b%26c'],
    ['{"nested": {"a": {{ {"b": [{{ $body.n }}]} }} }}', { nested: { a: { b: [4] } } }],
    ['"\\u00e4\\n\\"{{ "in" }}\\""', 'ä\n"in"'],
  ])('%s', (template, value) => {
    expect(render(template)).toEqual(value);
  });

  it.each([
    '{{ $body.missing }}',
    '{{ $body.none.x }}',
    '{{ $other }}',
    '{{ nosuch(1) }}',
    '{{ toUpper(1) }}',
    '{{ if 1 }} 1 {{ else }} 2 {{ end }}',
    '{{ if true }} 1 {{ end }}',
    '{{ range i, x := 1 }} 1 {{ end }}',
    '"{{ $body.a }}"',
    '{{ $body.name',
    '{"a": }',
    '{"a": 1} x',
    '"open',
    '',
    '{{ $body.__proto__ }}',
    '{{ $body.constructor }}',
    '['.repeat(100_000),
    `{{ ${'('.repeat(100_000)}`,
  ])('fails on %#: what is wrong with it is said', (template) => {
    expect(() => render(template)).toThrow(KritiError);
  });

  it('says where it fails', () => {
    expect(() => render('{\n  "a": {{ $body.nope }}\n}')).toThrow(
      expect.objectContaining({
        code: 'Attribute Error',
        message: "'Object' has no attritubte 'nope'.",
        span: { start_line: 1, start_column: 11, end_line: 1, end_column: 21 },
      }),
    );
  });
});
