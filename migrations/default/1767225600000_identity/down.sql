DROP TABLE public.organization_memberships;
DROP TABLE public.organizations;
DROP TABLE public.users;
DROP SCHEMA identity CASCADE;
