import { describe, expect, it } from 'vitest';
import { transformRequest, transformResponse } from '#webhook/transform.ts';

const REQUEST = {
  url: 'http://127.0.0.1:1/base?old=1',
  method: 'POST',
  headers: [
    ['Content-Type', 'application/json'],
    ['X-Old', 'yes'],
  ] as const,
  body: '{"input":{"id":5,"name":"Ann Lee"}}',
};
const CONTEXT = { sessionVariables: { 'x-hasura-role': 'user' }, env: { API_KEY: 'k' } };
const request = (transform: object) => transformRequest({ version: 2, ...transform }, REQUEST, CONTEXT);

describe('a request transformation', () => {
  it('leaves what it does not name', () => {
    expect(request({})).toEqual(REQUEST);
    expect(transformRequest(undefined, REQUEST, CONTEXT)).toBe(REQUEST);
  });

  it('changes method, URL, query and headers', () => {
    expect(
      request({
        method: 'PUT',
        url: '{{$base_url}}/users/{{$body.input.id}}',
        query_params: { name: '{{$body.input.name}}', none: '{{$body?.nothing}}' },
        request_headers: { add_headers: { Authorization: 'Bearer {{API_KEY}}' }, remove_headers: ['x-old'] },
      }),
    ).toMatchObject({
      method: 'PUT',
      url: 'http://127.0.0.1:1/base?name=Ann+Lee',
      headers: [
        ['Content-Type', 'application/json'],
        ['Authorization', 'Bearer k'],
      ],
    });
    expect(
      request({ url: 'http://h/users/{{$body.input.id}}', query_params: 'q={{$body.input.id}}' }).url,
    ).toBe('http://h/users/5?q=5');
  });

  it('makes another body, as JSON, as a form or none', () => {
    const template = '{"who": {{ $body.input.name }}, "role": {{ $session_variables["x-hasura-role"] }}}';
    expect(request({ body: { action: 'transform', template } }).body).toBe('{"who":"Ann Lee","role":"user"}');
    expect(transformRequest({ body: template }, REQUEST, CONTEXT).body).toBe(
      '{"who":"Ann Lee","role":"user"}',
    );
    expect(request({ body: { action: 'remove' } }).body).toBeUndefined();
    const form = {
      action: 'x_www_form_urlencoded',
      form_template: { name: '{{$body.input.name}}', x: '{{$body?.x}}' },
    };
    expect(request({ body: form })).toMatchObject({
      body: 'name=Ann%20Lee',
      headers: [
        ['X-Old', 'yes'],
        ['Content-Type', 'application/x-www-form-urlencoded'],
      ],
    });
  });

  it('fails with an error of its own, never with a request half made', () => {
    expect(() => request({ url: '{{$body.nothing}}' })).toThrow('Request Transformation Failed');
    expect(() => request({ body: { action: 'transform', template: '{' } })).toThrow(
      'Request Transformation Failed',
    );
    expect(() => request({ body: { action: 'unheard of' } })).toThrow('Request Transformation Failed');
  });
});

describe('a response transformation', () => {
  const context = { ...CONTEXT, request: REQUEST };

  it('sees the answer, its status and the request', () => {
    const template =
      '{"id": {{ $body.id }}, "status": {{ $response.status }}, "for": {{ $request.body.input.id }}}';
    const answer = { status: 201, body: '{"id":1}' };
    expect(transformResponse({ body: { action: 'transform', template }, version: 2 }, answer, context)).toBe(
      '{"id":1,"status":201,"for":5}',
    );
    expect(transformResponse(undefined, answer, context)).toBe(answer.body);
  });
});
