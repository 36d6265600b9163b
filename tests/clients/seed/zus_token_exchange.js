// Set up the body for the token exchange call
let body = {
  grant_type:               "urn:ietf:params:oauth:grant-type:token-exchange", 
  audience:                 "https://api.sandbox.zusapi.com",
  requested_token_type:     "urn:ietf:params:oauth:token-type:access_token",
  subject_token:            idToken, // The token returned by your IDP at login
  subject_token_type:       "urn:ietf:params:oauth:token-type:id_token", 
};

let url = "https://api.sandbox.zusapi.com/auth/token"

// Set up an Http request that will go directly to Zus
let xhr = new XMLHttpRequest();
xhr.open("POST", url);

xhr.setRequestHeader("Accept", "application/json");
xhr.setRequestHeader("Content-Type", "application/json");

// Triggered when the response returns
xhr.onreadystatechange = function () {
  if (xhr.readyState === 4) {
      // Data returned can be accessed here
      var access_token = JSON.parse(xhr.response)["access_token"]
  }};

let data = JSON.stringify(body);
xhr.send(data);
