import {
  type CognitoIdentityProviderClient,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  ListUserPoolClientsCommand,
  ListUserPoolsCommand,
} from '@aws-sdk/client-cognito-identity-provider';

/** The user pool of the local Cognito, and how to do anything in it that Cognito does. */
export interface Pool {
  client: CognitoIdentityProviderClient;
  userPoolId: string;
  clientId: string;
  /** With which every sign-up is confirmed here. */
  confirmationCode: string;
  /** The password that everybody has who signs up here, and who of the personas has another one. */
  passwordOf(email: string): string;
}

const NAME = 'latchkey';

/** The pool and its app client, of an earlier run where there was one. */
export async function keptPool(
  client: CognitoIdentityProviderClient,
): Promise<{ userPoolId: string; clientId: string }> {
  const { UserPools = [] } = await client.send(new ListUserPoolsCommand({ MaxResults: 60 }));
  const kept = UserPools.find(({ Name }) => Name === NAME)?.Id;
  const UserPoolId =
    kept ?? (await client.send(new CreateUserPoolCommand({ PoolName: NAME }))).UserPool?.Id ?? '';
  const { UserPoolClients = [] } = await client.send(new ListUserPoolClientsCommand({ UserPoolId }));
  const clientId =
    UserPoolClients[0]?.ClientId ??
    (await client.send(new CreateUserPoolClientCommand({ UserPoolId, ClientName: NAME }))).UserPoolClient
      ?.ClientId;
  if (UserPoolId === '' || clientId === undefined) throw new Error('cognito-local makes no user pool.');
  return { userPoolId: UserPoolId, clientId };
}
