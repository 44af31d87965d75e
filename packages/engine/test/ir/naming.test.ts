import { describe, expect, test } from 'vitest';
import { createNames, custom, objectIdentifier } from '#ir/naming.ts';

const article = objectIdentifier({ schema: 'public', name: 'blog_article' });
const elsewhere = objectIdentifier({ schema: 'crm', name: 'contact' });
const AFFIXES = {
  root_fields: { namespace: 'shop', prefix: 'a_', suffix: '_z' },
  type_names: { prefix: 'T', suffix: 'U' },
};

describe('names', () => {
  test('are those of the database, joined by underscores', () => {
    const names = createNames({}, undefined);
    expect(names.type(article, 'bool_exp')).toBe('blog_article_bool_exp');
    expect(names.field(article, 'by_pk')).toBe('blog_article_by_pk');
    expect(names.field(elsewhere)).toBe('crm_contact');
    expect(names.enumValue('asc')).toBe('asc');
  });

  test('take the prefixes and suffixes of their source', () => {
    const names = createNames(AFFIXES, undefined);
    expect(names.namespace).toBe('shop');
    expect(names.rootField('blog_article')).toBe('a_blog_article_z');
    expect(names.type(article)).toBe('Tblog_articleU');
    expect(names.plainType('order_by')).toBe('order_by');
  });

  test('by the convention graphql-default are camel case, but for what people named', () => {
    const names = createNames({}, 'graphql-default');
    expect(names.type(article, 'bool_exp')).toBe('BlogArticleBoolExp');
    expect(names.field(article, 'by_pk')).toBe('blogArticleByPk');
    expect(names.field(custom('my_own'), 'aggregate')).toBe('my_ownAggregate');
    expect(names.fieldCase('created_at')).toBe('createdAt');
    expect(names.fieldCase('_eq')).toBe('_eq');
    expect(names.enumValue('asc')).toBe('ASC');
  });

  test('keep to the database where the source says so, or conventions are turned off', () => {
    const own = { naming_convention: 'hasura-default' } as const;
    expect(createNames(own, 'graphql-default').graphqlCase).toBe(false);
    expect(createNames({ naming_convention: 'graphql-default' }, undefined).graphqlCase).toBe(false);
    expect(createNames({ naming_convention: 'graphql-default' }, 'hasura-default').graphqlCase).toBe(true);
  });
});
