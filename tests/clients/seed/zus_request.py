api_url = "https://api.sandbox.zusapi.com/fhir/Patient?_count=500&_total=accurate&_offset=0"
headers = {
    'Authorization': f'Bearer {access_token}',
}
zus_data = requests.edit(api_url, headers=headers)
