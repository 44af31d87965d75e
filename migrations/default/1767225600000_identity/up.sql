-- Users, organizations and memberships, as the identity provider last told them,
-- and the machinery that keeps them so.

CREATE SCHEMA identity;

-- The rule of every synced table: the newest state wins, by the provider's clock
-- (source_updated_at); at the same instant a deletion wins. So deliveries may come twice,
-- late or in any order, from several processes at once, and the rows end the same.
--
-- The trigger runs only for statements that set source_updated_at, which is what a sync
-- does: an application's own UPDATE of its own columns is none of its business.
-- A refused write returns NULL, so the row is absent from affected_rows and RETURNING.
--
-- With the argument 'last_seen' that column only moves forward, and moves even where the
-- rest is stale: a session event carries an older profile together with a newer sighting.
-- All else is the newest state's own, nulls included: what a row ends as must not depend on
-- which of its earlier states happened to come first.
CREATE FUNCTION identity.keep_newest() RETURNS trigger
  LANGUAGE plpgsql
  AS $$
DECLARE
  has_last_seen constant boolean := TG_NARGS > 0 AND TG_ARGV[0] = 'last_seen';
  is_newer constant boolean := NEW.source_updated_at > OLD.source_updated_at
    OR (NEW.source_updated_at = OLD.source_updated_at
        AND NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL);
  seen timestamptz;
  has_news boolean;
BEGIN
  -- An id never changes hands: the same id from a second provider is a mistake or an attack.
  IF NEW.provider <> OLD.provider THEN
    RAISE EXCEPTION '% belongs to provider %, not to %', TG_TABLE_NAME, OLD.provider, NEW.provider
      USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_provider_is_final';
  END IF;

  -- PL/pgSQL looks up every field an expression names, so last_seen stands only where the
  -- table is known to have it.
  IF has_last_seen THEN
    seen := greatest(OLD.last_seen, NEW.last_seen);
    has_news := is_newer OR seen > OLD.last_seen;
  ELSE
    has_news := is_newer;
  END IF;
  IF NOT has_news THEN
    RETURN NULL;
  END IF;

  IF NOT is_newer THEN
    NEW := OLD;
  END IF;
  IF has_last_seen THEN
    NEW.last_seen := seen;
  END IF;
  NEW.created_at := OLD.created_at;
  NEW.updated_at := now();
  RETURN NEW;
END
$$;

CREATE TABLE public.users (
  id text PRIMARY KEY,
  provider text NOT NULL,
  email text,
  email_verified boolean NOT NULL DEFAULT false,
  phone text,
  username text,
  name text,
  first_name text,
  last_name text,
  image_url text,
  roles jsonb NOT NULL DEFAULT '[]',
  metadata jsonb NOT NULL DEFAULT '{}',
  last_seen timestamptz NOT NULL DEFAULT now(),
  source_created_at timestamptz,
  source_updated_at timestamptz NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT users_roles_is_array CHECK (jsonb_typeof(roles) = 'array'),
  CONSTRAINT users_metadata_is_object CHECK (jsonb_typeof(metadata) = 'object')
);
COMMENT ON TABLE public.users IS 'One row per user of the identity provider; id is the token''s x-hasura-user-id.';
COMMENT ON COLUMN public.users.roles IS 'The roles the provider assigns, an array of strings; never Hasura roles by themselves.';
COMMENT ON COLUMN public.users.metadata IS 'The provider''s public metadata only.';
COMMENT ON COLUMN public.users.source_updated_at IS 'The provider''s clock: a write with an older one is refused.';
COMMENT ON COLUMN public.users.deleted_at IS 'Set when the provider deleted the user; the row is then a tombstone without personal data.';

-- Look-ups by address, whatever case it was typed in.
CREATE INDEX users_lower_email ON public.users (lower(email)) WHERE deleted_at IS NULL;
-- A reconcile walks one provider's live users in the order of their ids.
CREATE INDEX users_provider_id ON public.users (provider, id) WHERE deleted_at IS NULL;

CREATE TRIGGER keep_newest BEFORE UPDATE OF source_updated_at ON public.users
  FOR EACH ROW EXECUTE FUNCTION identity.keep_newest('last_seen');

CREATE TABLE public.organizations (
  id text PRIMARY KEY,
  provider text NOT NULL,
  name text,
  slug text,
  image_url text,
  metadata jsonb NOT NULL DEFAULT '{}',
  source_created_at timestamptz,
  source_updated_at timestamptz NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT organizations_metadata_is_object CHECK (jsonb_typeof(metadata) = 'object')
);
COMMENT ON TABLE public.organizations IS 'One row per organization of the identity provider.';

CREATE INDEX organizations_provider_id ON public.organizations (provider, id) WHERE deleted_at IS NULL;

CREATE TRIGGER keep_newest BEFORE UPDATE OF source_updated_at ON public.organizations
  FOR EACH ROW EXECUTE FUNCTION identity.keep_newest();

CREATE TABLE public.organization_memberships (
  organization_id text NOT NULL REFERENCES public.organizations (id) ON UPDATE CASCADE ON DELETE CASCADE,
  user_id text NOT NULL REFERENCES public.users (id) ON UPDATE CASCADE ON DELETE CASCADE,
  provider text NOT NULL,
  role text,
  source_created_at timestamptz,
  source_updated_at timestamptz NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organization_id, user_id)
);
COMMENT ON TABLE public.organization_memberships IS 'Who belongs to which organization, and as what.';

-- Every permission of role user asks for the caller's live memberships.
CREATE INDEX organization_memberships_user_id ON public.organization_memberships (user_id, organization_id)
  WHERE deleted_at IS NULL;

CREATE TRIGGER keep_newest BEFORE UPDATE OF source_updated_at ON public.organization_memberships
  FOR EACH ROW EXECUTE FUNCTION identity.keep_newest();

-- The ledger: one row per webhook delivery, written in the transaction that applies it.
CREATE TABLE identity.deliveries (
  id text PRIMARY KEY,
  provider text NOT NULL,
  type text NOT NULL,
  subject text,
  payload json,
  received_at timestamptz NOT NULL DEFAULT now(),
  settled_at timestamptz NOT NULL DEFAULT now(),
  status text NOT NULL,
  attempts integer NOT NULL DEFAULT 1,
  error text,
  CONSTRAINT deliveries_status_is_known CHECK (status IN ('applied', 'ignored', 'dead'))
);
COMMENT ON TABLE identity.deliveries IS 'One row per webhook delivery; id is the provider''s own id of the delivery.';
COMMENT ON COLUMN identity.deliveries.payload IS 'As it came; json, for jsonb would cost more than all the rest of the row, and nothing looks into it.';
COMMENT ON COLUMN identity.deliveries.subject IS 'The id of the user, organization or membership that the delivery is about.';

-- Retention removes the oldest; erasure finds a user's; an operator looks at the dead ones.
CREATE INDEX deliveries_received_at ON identity.deliveries (received_at);
CREATE INDEX deliveries_subject ON identity.deliveries (provider, subject);
CREATE INDEX deliveries_dead ON identity.deliveries (received_at) WHERE status = 'dead';

CREATE TABLE identity.reconciles (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  provider text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  counts jsonb NOT NULL DEFAULT '{}',
  drift jsonb NOT NULL DEFAULT '{}',
  cursor jsonb
);
COMMENT ON TABLE identity.reconciles IS 'One row per reconcile; an unfinished one is taken up again at its cursor.';

CREATE INDEX reconciles_provider ON identity.reconciles (provider, started_at DESC);
