-- A person is (provider, tenant, id): the tenant is what the provider's ids are unique within, which is
-- Casdoor's organization, Cognito's pool, Clerk's instance. users.id stays the primary key, and an id
-- never changes hands: what another provider or tenant says of it is refused. An empty tenant is one that
-- is not known; the next state of the same provider fills it in.

ALTER TABLE public.users
  ADD COLUMN tenant text NOT NULL DEFAULT '',
  ADD COLUMN previous_tenant text,
  ADD COLUMN disabled_at timestamptz,
  ADD COLUMN disabled_checked_at timestamptz NOT NULL DEFAULT 'epoch',
  ADD COLUMN tokens_valid_from timestamptz;
COMMENT ON COLUMN public.users.tenant IS 'What the provider''s ids are unique within: Casdoor''s organization, Cognito''s pool, Clerk''s instance; empty if not known.';
COMMENT ON COLUMN public.users.previous_tenant IS 'The tenant that the user has left for this one.';
COMMENT ON COLUMN public.users.disabled_at IS 'Set while the provider keeps the user out, as of its latest word; the shipped permissions show them nothing.';
COMMENT ON COLUMN public.users.disabled_checked_at IS 'Of which instant disabled_at is: the later word counts, whatever the clock of the rest.';
COMMENT ON COLUMN public.users.tokens_valid_from IS 'Tokens issued before are refused by the auth hook and by actions (latchkey revoke).';

ALTER TABLE public.organizations ADD COLUMN tenant text NOT NULL DEFAULT '';
ALTER TABLE public.organization_memberships ADD COLUMN tenant text NOT NULL DEFAULT '';
ALTER TABLE identity.deliveries ADD COLUMN tenant text NOT NULL DEFAULT '';
COMMENT ON COLUMN public.organizations.tenant IS 'As users.tenant.';
COMMENT ON COLUMN public.organization_memberships.tenant IS 'As users.tenant.';
COMMENT ON COLUMN identity.deliveries.tenant IS 'The subject''s tenant, as users.tenant.';

-- Rows of before. Casdoor's organizations are their own tenants, and its groups are <organization>/<group>;
-- the ids of Cognito's groups are <pool>/<group>. Clerk's ids are unique in the world: its rows wait for
-- the next state.
UPDATE public.organizations SET tenant = split_part(id, '/', 1) WHERE provider IN ('casdoor', 'cognito');
UPDATE public.organization_memberships SET tenant = split_part(organization_id, '/', 1)
  WHERE provider IN ('casdoor', 'cognito');
UPDATE public.users SET tenant = its.tenant
  FROM (SELECT DISTINCT ON (user_id) user_id, tenant FROM public.organization_memberships
         WHERE provider = 'cognito' ORDER BY user_id, source_updated_at DESC, tenant) AS its
  WHERE users.id = its.user_id AND provider = 'cognito';
-- A Casdoor user is a member of the organization that owns them, once. Who is of none, or of several,
-- could be anybody's: '?' is nobody's, until somebody who knows sets it by hand.
UPDATE public.users SET tenant = coalesce(
    (SELECT CASE WHEN count(*) FILTER (WHERE deleted_at IS NULL) > 1 THEN '?'
                 ELSE (array_agg(organization_id ORDER BY deleted_at IS NULL DESC, source_updated_at DESC))[1] END
       FROM public.organization_memberships
      WHERE user_id = users.id AND provider = 'casdoor' AND strpos(organization_id, '/') = 0),
    '?')
  WHERE provider = 'casdoor';

-- What an unfinished repair has listed is known by id alone, which is not enough any more.
UPDATE identity.reconciles SET finished_at = now(), error = 'The tables were migrated: begin anew.'
  WHERE finished_at IS NULL;

-- The rule of every synced table: the newest state wins, by the provider's clock (source_updated_at); at
-- the same instant a deletion wins. So deliveries may come twice, late or in any order, from several
-- processes at once, and the rows end the same.
--
-- The trigger runs only for statements that set source_updated_at, which is what a sync does: an
-- application's own UPDATE of its own columns is none of its business. A refused write returns NULL, so
-- the row is absent from affected_rows and RETURNING.
--
-- With the argument 'user' two things move by themselves, even where the rest is stale: last_seen only
-- forward, for a session event carries an older profile together with a newer sighting; and whether
-- the user is disabled by a clock of its own, for not every provider's clock tells of it. All else is the
-- newest state's own, nulls included: what a row ends as must not depend on which of its earlier states
-- happened to come first.
CREATE OR REPLACE FUNCTION identity.keep_newest() RETURNS trigger
  LANGUAGE plpgsql
  AS $$
DECLARE
  is_user constant boolean := TG_NARGS > 0 AND TG_ARGV[0] = 'user';
  is_newer constant boolean := NEW.source_updated_at > OLD.source_updated_at
    OR (NEW.source_updated_at = OLD.source_updated_at
        AND NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL);
  has_moved boolean := false;
  has_news boolean := is_newer;
  seen timestamptz;
  is_checked boolean;
  checked timestamptz;
  disabled timestamptz;
BEGIN
  -- An id never changes hands: the same id from a second provider or tenant is a mistake or an attack.
  IF NEW.provider <> OLD.provider THEN
    RAISE EXCEPTION '% belongs to provider %, not to %', TG_TABLE_NAME, OLD.provider, NEW.provider
      USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_provider_is_final';
  END IF;
  IF NEW.tenant <> OLD.tenant AND NEW.tenant <> '' AND OLD.tenant <> '' THEN
    -- Only a user can move, who is there, and only by a state that says whence: the service has looked there.
    -- PL/pgSQL looks up every field an expression names, so columns of users stand only in branches of theirs.
    IF is_user THEN
      has_moved := OLD.deleted_at IS NULL AND coalesce(NEW.previous_tenant = OLD.tenant, false);
    END IF;
    IF NOT has_moved THEN
      RAISE EXCEPTION '% belongs to % %, not to %', TG_TABLE_NAME, OLD.provider, OLD.tenant, NEW.tenant
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_tenant_is_final';
    END IF;
  END IF;
  IF NEW.tenant = '' THEN
    NEW.tenant := OLD.tenant;
  END IF;

  IF is_user THEN
    seen := greatest(OLD.last_seen, NEW.last_seen);
    is_checked := NEW.disabled_checked_at > OLD.disabled_checked_at;
    checked := greatest(OLD.disabled_checked_at, NEW.disabled_checked_at);
    disabled := CASE WHEN is_checked THEN NEW.disabled_at ELSE OLD.disabled_at END;
    -- That nothing has changed is no news by itself: each listing says so of everybody.
    has_news := is_newer OR seen > OLD.last_seen
      OR (is_checked AND (NEW.disabled_at IS NULL) <> (OLD.disabled_at IS NULL));
    IF NOT has_moved THEN
      NEW.previous_tenant := OLD.previous_tenant;
    END IF;
  END IF;
  IF NOT has_news THEN
    RETURN NULL;
  END IF;

  IF NOT is_newer THEN
    NEW := OLD;
  END IF;
  IF is_user THEN
    NEW.last_seen := seen;
    NEW.disabled_checked_at := checked;
    NEW.disabled_at := CASE WHEN NEW.deleted_at IS NULL THEN disabled END;
  END IF;
  NEW.created_at := OLD.created_at;
  NEW.updated_at := now();
  RETURN NEW;
END
$$;

DROP TRIGGER keep_newest ON public.users;
CREATE TRIGGER keep_newest BEFORE UPDATE OF source_updated_at ON public.users
  FOR EACH ROW EXECUTE FUNCTION identity.keep_newest('user');

-- A membership ends with its user and with its organization, whichever is told first. Only those that
-- are not newer: a state of after the deletion says that both are there again.
CREATE FUNCTION identity.end_memberships() RETURNS trigger
  LANGUAGE plpgsql
  AS $$
BEGIN
  IF TG_TABLE_NAME = 'users' THEN
    UPDATE public.organization_memberships
      SET source_updated_at = NEW.source_updated_at, deleted_at = NEW.source_updated_at, role = NULL
      WHERE user_id = NEW.id AND deleted_at IS NULL AND source_updated_at <= NEW.source_updated_at;
  ELSE
    UPDATE public.organization_memberships
      SET source_updated_at = NEW.source_updated_at, deleted_at = NEW.source_updated_at, role = NULL
      WHERE organization_id = NEW.id AND deleted_at IS NULL AND source_updated_at <= NEW.source_updated_at;
  END IF;
  RETURN NULL;
END
$$;

CREATE TRIGGER end_memberships AFTER UPDATE OF source_updated_at ON public.users
  FOR EACH ROW WHEN (NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION identity.end_memberships();
CREATE TRIGGER end_memberships AFTER UPDATE OF source_updated_at ON public.organizations
  FOR EACH ROW WHEN (NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION identity.end_memberships();

CREATE FUNCTION identity.end_with_parents() RETURNS trigger
  LANGUAGE plpgsql
  AS $$
DECLARE
  ended timestamptz;
BEGIN
  SELECT max(gone.source_updated_at) INTO ended FROM (
    SELECT source_updated_at FROM public.users WHERE id = NEW.user_id AND deleted_at IS NOT NULL
    UNION ALL
    SELECT source_updated_at FROM public.organizations WHERE id = NEW.organization_id AND deleted_at IS NOT NULL
  ) AS gone;
  IF ended >= NEW.source_updated_at THEN
    NEW.source_updated_at := ended;
    NEW.deleted_at := ended;
    NEW.role := NULL;
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER end_with_parents BEFORE INSERT OR UPDATE OF source_updated_at ON public.organization_memberships
  FOR EACH ROW WHEN (NEW.deleted_at IS NULL) EXECUTE FUNCTION identity.end_with_parents();

-- Those that were left behind.
UPDATE public.organization_memberships AS membership
  SET source_updated_at = gone.ended, deleted_at = gone.ended, role = NULL
  FROM (
    SELECT organization_id, user_id, greatest(
        CASE WHEN users.deleted_at IS NOT NULL THEN users.source_updated_at END,
        CASE WHEN organizations.deleted_at IS NOT NULL THEN organizations.source_updated_at END) AS ended
      FROM public.organization_memberships
        JOIN public.users ON users.id = user_id
        JOIN public.organizations ON organizations.id = organization_id
      WHERE organization_memberships.deleted_at IS NULL
  ) AS gone
  WHERE membership.organization_id = gone.organization_id AND membership.user_id = gone.user_id
    AND membership.source_updated_at <= gone.ended;

-- Accounts of before are opened by the word of these providers alone. Casdoor's is not among them: some
-- versions let users mark their own address as verified (docs/adoption.md).
CREATE TABLE identity.adoption_providers (
  provider text PRIMARY KEY
);
COMMENT ON TABLE identity.adoption_providers IS 'The providers whose mark of a verified address opens an account of before.';
INSERT INTO identity.adoption_providers VALUES ('clerk'), ('cognito');

CREATE OR REPLACE FUNCTION identity.claim_own_account() RETURNS trigger
  LANGUAGE plpgsql
  AS $$
BEGIN
  -- Most users have no such account, and to find that out must cost next to nothing.
  IF EXISTS (SELECT FROM identity.imported_accounts
      WHERE lower(email COLLATE "C") = lower(NEW.email COLLATE "C") AND claimed_by IS NULL)
    AND EXISTS (SELECT FROM identity.adoption_providers WHERE provider = NEW.provider) THEN
    PERFORM identity.claim_account(NEW.id, NEW.email);
  END IF;
  RETURN NULL;
END
$$;

-- The account goes to the user of its address who was here first.
CREATE OR REPLACE FUNCTION identity.offer_account() RETURNS trigger
  LANGUAGE plpgsql
  AS $$
DECLARE
  heir text;
BEGIN
  SELECT id INTO heir FROM public.users
    WHERE lower(email COLLATE "C") = lower(NEW.email COLLATE "C")
      AND email_verified AND deleted_at IS NULL AND disabled_at IS NULL AND legacy_id IS NULL
      AND EXISTS (SELECT FROM identity.adoption_providers WHERE provider = users.provider)
    ORDER BY created_at, id LIMIT 1;
  IF FOUND THEN
    PERFORM identity.claim_account(heir, NEW.email);
  END IF;
  RETURN NULL;
END
$$;

-- Who is kept out cannot take anything over; when they are let in again, their next state does.
DROP TRIGGER claim_account ON public.users;
CREATE TRIGGER claim_account AFTER INSERT OR UPDATE OF source_updated_at ON public.users
  FOR EACH ROW
  WHEN (NEW.email_verified AND NEW.email IS NOT NULL AND NEW.deleted_at IS NULL AND NEW.disabled_at IS NULL
    AND NEW.legacy_id IS NULL)
  EXECUTE FUNCTION identity.claim_own_account();

-- Whoever is trusted from now on may have users for accounts that are open already.
CREATE FUNCTION identity.offer_open_accounts() RETURNS trigger
  LANGUAGE plpgsql
  AS $$
BEGIN
  -- It offers each of them once more (offer_account).
  UPDATE identity.imported_accounts SET email = email WHERE claimed_by IS NULL;
  RETURN NULL;
END
$$;

CREATE TRIGGER offer_open_accounts AFTER INSERT ON identity.adoption_providers
  FOR EACH STATEMENT EXECUTE FUNCTION identity.offer_open_accounts();
