-- Accounts that a team had before it had its identity provider. Whoever proves to the provider that
-- an address is theirs takes over the account of that address: users.legacy_id then holds its old id,
-- and rows that are keyed by it can be reached through a relationship.

ALTER TABLE public.users ADD COLUMN legacy_id text CONSTRAINT users_legacy_id_key UNIQUE;
COMMENT ON COLUMN public.users.legacy_id IS 'The id of the imported account that this user has taken over.';

CREATE TABLE identity.imported_accounts (
  legacy_id text PRIMARY KEY,
  email text,
  imported_at timestamptz NOT NULL DEFAULT now(),
  claimed_by text,
  claimed_at timestamptz,
  CONSTRAINT imported_accounts_email_is_there CHECK (email IS NOT NULL OR claimed_by IS NOT NULL),
  CONSTRAINT imported_accounts_claim_is_whole CHECK ((claimed_by IS NULL) = (claimed_at IS NULL))
);
COMMENT ON TABLE identity.imported_accounts IS 'One row per account of before; claimed once, by the first user who has verified its address.';
COMMENT ON COLUMN identity.imported_accounts.email IS 'Erased when the user who has claimed it is deleted.';
COMMENT ON COLUMN identity.imported_accounts.claimed_by IS 'The id of the user who has taken it over, whatever becomes of them.';

-- Only A to Z are folded (that is what collation "C" is for): with more, an address of look-alikes,
-- such as one with the Kelvin sign for a K, would open somebody else's account.
CREATE UNIQUE INDEX imported_accounts_email ON identity.imported_accounts (lower(email COLLATE "C"));
-- Where accounts are imported after their users.
CREATE INDEX users_adoptable ON public.users (lower(email COLLATE "C"))
  WHERE email_verified AND deleted_at IS NULL AND legacy_id IS NULL;

-- Gives a user the account of an address, if there is one that nobody has. Of two users who come at
-- once the second waits for the first and finds it taken.
CREATE FUNCTION identity.claim_account(user_id text, address text) RETURNS void
  LANGUAGE plpgsql
  AS $$
DECLARE
  claimed text;
BEGIN
  UPDATE identity.imported_accounts AS account
    SET claimed_by = user_id, claimed_at = now()
    WHERE lower(account.email COLLATE "C") = lower(address COLLATE "C")
      AND account.claimed_by IS NULL
      -- Somebody may have given it to another user by hand.
      AND NOT EXISTS (SELECT FROM public.users AS other WHERE other.legacy_id = account.legacy_id)
    RETURNING account.legacy_id INTO claimed;
  IF FOUND THEN
    UPDATE public.users SET legacy_id = claimed WHERE id = user_id;
  END IF;
END
$$;

CREATE FUNCTION identity.claim_own_account() RETURNS trigger
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

-- After the row is written, for what keep_newest refuses must not claim anything either.
CREATE TRIGGER claim_account AFTER INSERT OR UPDATE OF source_updated_at ON public.users
  FOR EACH ROW
  WHEN (NEW.email_verified AND NEW.email IS NOT NULL AND NEW.deleted_at IS NULL AND NEW.legacy_id IS NULL)
  EXECUTE FUNCTION identity.claim_own_account();

-- A tombstone holds nothing personal, and neither does the account that went with it.
CREATE FUNCTION identity.forget_account() RETURNS trigger
  LANGUAGE plpgsql
  AS $$
BEGIN
  UPDATE identity.imported_accounts SET email = NULL WHERE legacy_id = NEW.legacy_id AND email IS NOT NULL;
  RETURN NULL;
END
$$;

CREATE TRIGGER forget_account AFTER INSERT OR UPDATE OF source_updated_at ON public.users
  FOR EACH ROW
  WHEN (NEW.deleted_at IS NOT NULL AND NEW.legacy_id IS NOT NULL)
  EXECUTE FUNCTION identity.forget_account();

-- An import waits for the users that are being written, and they for it, or neither would see the other.
CREATE FUNCTION identity.hold_users() RETURNS trigger
  LANGUAGE plpgsql
  AS $$
BEGIN
  LOCK TABLE public.users IN SHARE ROW EXCLUSIVE MODE;
  RETURN NULL;
END
$$;

CREATE TRIGGER hold_users BEFORE INSERT ON identity.imported_accounts
  FOR EACH STATEMENT EXECUTE FUNCTION identity.hold_users();

-- The account goes to the user of its address who was here first.
CREATE FUNCTION identity.offer_account() RETURNS trigger
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

CREATE TRIGGER offer_account AFTER INSERT OR UPDATE OF email ON identity.imported_accounts
  FOR EACH ROW
  WHEN (NEW.email IS NOT NULL AND NEW.claimed_by IS NULL)
  EXECUTE FUNCTION identity.offer_account();
