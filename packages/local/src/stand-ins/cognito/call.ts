/** Calls an operation of cognito-local, and gives what it answers, an error too. */
export type Call = (operation: string, input: object) => Promise<unknown>;

/** Straight to cognito-local: no rule sees it and no fault meets it. */
export function createCall(behind: () => string): Call {
  return async (operation, input) => {
    const answer = await fetch(behind(), {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `AWSCognitoIdentityProviderService.${operation}`,
      },
      body: JSON.stringify(input),
    });
    return JSON.parse((await answer.text()) || '{}');
  };
}
