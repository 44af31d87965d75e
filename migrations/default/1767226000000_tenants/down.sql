DROP TABLE identity.adoption_providers;
DROP FUNCTION identity.offer_open_accounts();
CREATE OR REPLACE FUNCTION identity.claim_own_account() RETURNS trigger
  LANGUAGE plpgsql
  AS $$
BEGIN
  -- Most users have no such account, and to find that out must cost next to nothing.
  IF EXISTS (SELECT FROM identity.imported_accounts
      WHERE lower(email COLLATE "C") = lower(NEW.email COLLATE "C") AND claimed_by IS NULL) THEN
    PERFORM identity.claim_account(NEW.id, NEW.email);
  END IF;
  RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION identity.offer_account() RETURNS trigger
  LANGUAGE plpgsql
  AS $$
DECLARE
  heir text;
BEGIN
  SELECT id INTO heir FROM public.users
    WHERE lower(email COLLATE "C") = lower(NEW.email COLLATE "C")
      AND email_verified AND deleted_at IS NULL AND legacy_id IS NULL
    ORDER BY created_at, id LIMIT 1;
  IF FOUND THEN
    PERFORM identity.claim_account(heir, NEW.email);
  END IF;
  RETURN NULL;
END
$$;
DROP TRIGGER claim_account ON public.users;
CREATE TRIGGER claim_account AFTER INSERT OR UPDATE OF source_updated_at ON public.users
  FOR EACH ROW
  WHEN (NEW.email_verified AND NEW.email IS NOT NULL AND NEW.deleted_at IS NULL AND NEW.legacy_id IS NULL)
  EXECUTE FUNCTION identity.claim_own_account();

DROP TRIGGER end_memberships ON public.users;
DROP TRIGGER end_memberships ON public.organizations;
DROP TRIGGER end_with_parents ON public.organization_memberships;
DROP FUNCTION identity.end_memberships(), identity.end_with_parents();
CREATE OR REPLACE FUNCTION identity.keep_newest() RETURNS trigger
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
DROP TRIGGER keep_newest ON public.users;
CREATE TRIGGER keep_newest BEFORE UPDATE OF source_updated_at ON public.users
  FOR EACH ROW EXECUTE FUNCTION identity.keep_newest('last_seen');

ALTER TABLE identity.deliveries DROP COLUMN tenant;
ALTER TABLE public.organization_memberships DROP COLUMN tenant;
ALTER TABLE public.organizations DROP COLUMN tenant;
ALTER TABLE public.users
  DROP COLUMN tenant,
  DROP COLUMN previous_tenant,
  DROP COLUMN disabled_at,
  DROP COLUMN disabled_checked_at,
  DROP COLUMN tokens_valid_from;
