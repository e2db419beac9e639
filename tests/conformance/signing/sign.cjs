// Signs the envelope on standard input by npm's soap: node sign.cjs KEY CERTIFICATE
const fs = require('fs');
const { WSSecurityCert } = require('soap');

const [key, certificate] = process.argv.slice(2).map((path) => fs.readFileSync(path));
const security = new WSSecurityCert(key, certificate, '', {
  signatureTransformations: ['http://www.w3.org/2001/10/xml-exc-c14n#'],
  signerOptions: { idMode: 'wssecurity' },
});
process.stdout.write(security.postProcess(fs.readFileSync(0, 'utf8'), 'soapenv'));
