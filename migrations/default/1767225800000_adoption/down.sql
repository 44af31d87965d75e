DROP TRIGGER claim_account ON public.users;
DROP TRIGGER forget_account ON public.users;
DROP INDEX public.users_adoptable;
DROP TABLE identity.imported_accounts;
DROP FUNCTION identity.claim_own_account(), identity.claim_account(text, text), identity.forget_account(),
  identity.offer_account(), identity.hold_users();
ALTER TABLE public.users DROP COLUMN legacy_id;
