class ZSAuth {
  private clientId: string;
  private redirectUri: string;

  async authenticate(): Promise<string> {
    const codeVerifier = this.generateCodeVerifier();
    const authUrl = `https://auth.zarishsphere.com/oauth2/authorize?${new URLSearchParams({
      response_type: 'code',
      client_id: this.clientId,
      scope: 'patient/*.read',
      redirect_uri: this.redirectUri,
      code_challenge: await this.generateCodeChallenge(codeVerifier),
      code_challenge_method: 'S256',
    })}`;

    window.location.href = authUrl;
    return codeVerifier;
  }

  async exchangeCodeForToken(code: string, codeVerifier: string): Promise<TokenResponse> {
    const response = await fetch('https://auth.zarishsphere.com/oauth2/token', {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        redirect_uri: this.redirectUri,
        client_id: this.clientId,
        code_verifier: codeVerifier,
      }),
    });

    return response.json();
  }
}
