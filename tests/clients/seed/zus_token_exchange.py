token_endpoint = "https://api.sandbox.zusapi.com/auth/token"
headers = {
    'Content-Type': 'application/json',
}
body = {
    "grant_type":               "urn:ietf:params:oauth:grant-type:token-exchange", 
    "audience":                 "https://api.sandbox.zusapi.com",
    "requested_token_type":     "urn:ietf:params:oauth:token-type:access_token",
    "subject_token":            id_token, # The token returned by your IDP at login
    "subject_token_type":       "urn:ietf:params:oauth:token-type:id_token", 
}

json_body = json.dumps(body) # Force Python to use Json format
zus_response = requests.post(token_endpoint, data=json_body, headers=headers)
try:
    access_token = zus_response.json()['access_token']
except:
    print("Error: ", zus_response.json())
