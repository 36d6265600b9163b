let url = "https://api.sandbox.zusapi.com/auth/roles?filter[name]=Builder Admin";
let xhr = new XMLHttpRequest();
xhr.open("GET", url);
xhr.setRequestHeader("Authorization", "Bearer "+access_token);

xhr.onreadystatechange = function () {
if (xhr.readyState === 4) {
    console.log(JSON.parse(xhr.response))
}};
xhr.send();
