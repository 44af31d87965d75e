/** Clerk's own JSON, as far as a local Clerk fills it in. Clocks are milliseconds since the epoch. */

export type ClerkEmail = {
  id: string;
  object: 'email_address';
  email_address: string;
  reserved: boolean;
  verification: {
    object: 'verification_otp';
    status: string;
    strategy: string;
    attempts: number;
    expire_at: number;
  };
  linked_to: [];
  matches_sso_connection: boolean;
  created_at: number;
  updated_at: number;
};

export type ClerkUser = {
  id: string;
  object: 'user';
  username: string | null;
  first_name: string | null;
  last_name: string | null;
  image_url: string;
  has_image: boolean;
  primary_email_address_id: string | null;
  primary_phone_number_id: string | null;
  email_addresses: ClerkEmail[];
  phone_numbers: [];
  public_metadata: Record<string, unknown>;
  private_metadata: Record<string, unknown>;
  unsafe_metadata: Record<string, unknown>;
  external_id: string | null;
  last_sign_in_at: number | null;
  last_active_at: number | null;
  banned: boolean;
  locked: boolean;
  lockout_expires_in_seconds: number | null;
  created_at: number;
  updated_at: number;
};

export type ClerkOrganization = {
  id: string;
  object: 'organization';
  name: string;
  slug: string;
  image_url: string;
  has_image: boolean;
  members_count: number;
  public_metadata: Record<string, unknown>;
  private_metadata: Record<string, unknown>;
  created_by: string | null;
  created_at: number;
  updated_at: number;
};

export type ClerkMembership = {
  id: string;
  object: 'organization_membership';
  role: string;
  role_name: string;
  permissions: string[];
  public_metadata: Record<string, unknown>;
  private_metadata: Record<string, unknown>;
  organization: ClerkOrganization;
  public_user_data: {
    user_id: string;
    identifier: string | null;
    first_name: string | null;
    last_name: string | null;
    image_url: string;
    has_image: boolean;
  };
  created_at: number;
  updated_at: number;
};

export type ClerkSession = {
  id: string;
  object: 'session';
  client_id: string;
  user_id: string;
  status: 'active' | 'revoked';
  last_active_organization_id: string | null;
  actor: null;
  last_active_at: number;
  expire_at: number;
  abandon_at: number;
  created_at: number;
  updated_at: number;
};

/** What Svix delivers: the body of one webhook. */
export type ClerkEvent = {
  object: 'event';
  type: string;
  data: unknown;
  timestamp: number;
  instance_id: string;
  event_attributes: { http_request: { client_ip: string; user_agent: string } };
};

/** Called after each change with the type and data of the event Clerk sends for it. */
export type Announce = (type: string, data: unknown) => void;
