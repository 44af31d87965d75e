-- A table of the application from before. Its rows are keyed by the ids of that time, and it has them
-- before anybody has taken an account over: so no foreign key to users.
CREATE TABLE public.legacy_orders (
  id integer PRIMARY KEY,
  customer_id text NOT NULL,
  item text NOT NULL
);
CREATE INDEX legacy_orders_customer_id ON public.legacy_orders (customer_id);
