// What the official CA client can do with a network's CA; one JSON line for each check.
//
//   node checks.mjs NETWORK.json
//
// NETWORK.json is what `gridloom up` writes: where the CAs are, and whom to trust.
// The client keeps its keys below $HOME.

import FabricCAServices from 'fabric-ca-client';
import { User, Utils } from 'fabric-common';
import jsrsasign from 'jsrsasign';
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';

const [networkFile] = process.argv.slice(2);
const network = JSON.parse(fs.readFileSync(networkFile, 'utf8'));
Utils.setConfigSetting('connection-timeout', 120000);

function server(name, caName = name) {
    const ca = network.certificate_authorities.find((each) => each.name === name);
    const trustedRoots = [fs.readFileSync(ca.ca_cert)];
    return new FabricCAServices(ca.url, { trustedRoots, verify: true }, caName);
}

async function member(name, enrollment) {
    const user = new User(name);
    user.setCryptoSuite(Utils.newCryptoSuite());
    await user.setEnrollment(enrollment.key, enrollment.certificate, 'Org1MSP');
    return user;
}

function parsed(enrollment) {
    return new crypto.X509Certificate(enrollment.certificate);
}

function attributesOf(enrollment) {
    const text = parsed(enrollment).raw.toString('latin1');
    const start = text.indexOf('{"attrs"');
    return start < 0 ? null : JSON.parse(text.slice(start, text.indexOf('}}', start) + 2)).attrs;
}

async function failure(promise) {
    try {
        await promise;
    } catch (error) {
        return error;
    }
    throw new Error('it succeeded');
}

const ca = server('ca-org1');
const registrar = await member(
    'admin',
    await ca.enroll({ enrollmentID: 'admin', enrollmentSecret: 'adminpw' }),
);
const identities = ca.newIdentityService();
const affiliations = ca.newAffiliationService();
const certificates = ca.newCertificateService();

async function enrolled(name, registration = {}) {
    const enrollmentSecret = await ca.register(
        { enrollmentID: name, affiliation: 'org1', maxEnrollments: -1, ...registration },
        registrar,
    );
    const enrollment = await ca.enroll({ enrollmentID: name, enrollmentSecret });
    return { enrollment, enrollmentSecret, user: await member(name, enrollment) };
}

const checks = {
    async caInfo() {
        const info = await ca.getCaInfo(registrar);
        assert.equal(info.caName, 'ca-org1');
        const { subject } = new crypto.X509Certificate(info.caChain);
        assert.match(subject, /CN=ca\.org1\.example\.com/);
        assert.ok(info.version);
        assert.equal(ca.getCaName(), 'ca-org1');
    },

    async enrollWithDefaults() {
        const { enrollment } = await enrolled('alice', { affiliation: 'org1.department1' });
        const certificate = parsed(enrollment);
        const root = new crypto.X509Certificate(enrollment.rootCertificate);
        assert.ok(certificate.verify(root.publicKey));
        assert.match(certificate.subject, /CN=alice/);
        for (const unit of ['client', 'org1', 'department1']) {
            assert.ok(certificate.subject.includes(`OU=${unit}`), certificate.subject);
        }
        assert.deepEqual(attributesOf(enrollment), {
            'hf.Affiliation': 'org1.department1',
            'hf.EnrollmentID': 'alice',
            'hf.Type': 'client',
        });
    },

    async registerWithSecretAndRole() {
        const { enrollment, enrollmentSecret } = await enrolled('peer7', {
            enrollmentSecret: 'peer7pw',
            role: 'peer',
        });
        assert.equal(enrollmentSecret, 'peer7pw');
        assert.match(parsed(enrollment).subject, /OU=peer/);
    },

    async secretsAreMadeAndCounted() {
        const enrollmentID = 'once';
        const enrollmentSecret = await ca.register({ enrollmentID, affiliation: 'org1' }, registrar);
        assert.match(enrollmentSecret, /^[A-Za-z]{12}$/);
        await ca.enroll({ enrollmentID, enrollmentSecret });
        const error = await failure(ca.enroll({ enrollmentID, enrollmentSecret }));
        assert.match(error.message, /Authentication failure/);
    },

    async attributeRequests() {
        const attrs = [
            { name: 'gridloom.role', value: 'SU', ecert: true },
            { name: 'level', value: '3' },
        ];
        const { enrollment, enrollmentSecret } = await enrolled('attributed', { attrs });
        assert.equal(attributesOf(enrollment)['gridloom.role'], 'SU');
        assert.ok(!('level' in attributesOf(enrollment)));
        const request = { enrollmentID: 'attributed', enrollmentSecret };
        const chosen = await ca.enroll({
            ...request,
            attr_reqs: [{ name: 'level' }, { name: 'nothing', optional: true }],
        });
        assert.deepEqual(attributesOf(chosen), { level: '3' });
        const error = await failure(ca.enroll({ ...request, attr_reqs: [{ name: 'nothing' }] }));
        assert.match(error.message, /required attributes are missing/);
    },

    async tlsProfile() {
        const { enrollmentSecret } = await enrolled('server');
        const profile = await ca.enroll({
            enrollmentID: 'server',
            enrollmentSecret,
            profile: 'tls',
        });
        const usages = parsed(profile).keyUsage; // extended ones, by their numbers
        assert.deepEqual([...usages].sort(), ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    },

    async ownSigningRequest() {
        const { enrollment, enrollmentSecret } = await enrolled('requested');
        const csr = enrollment.key.generateCSR('CN=requested');
        const again = await ca.enroll({ enrollmentID: 'requested', enrollmentSecret, csr });
        assert.equal(again.key, undefined);
        const key = parsed(enrollment).publicKey.export({ type: 'spki', format: 'pem' });
        assert.equal(parsed(again).publicKey.export({ type: 'spki', format: 'pem' }), key);
    },

    async reenroll() {
        const { enrollment, user } = await enrolled('renewed', { affiliation: 'org1.department2' });
        const again = await ca.reenroll(user);
        assert.notEqual(parsed(again).serialNumber, parsed(enrollment).serialNumber);
        assert.match(parsed(again).subject, /CN=renewed/);
        const asked = await ca.reenroll(user, [{ name: 'hf.Type', optional: false }]);
        assert.deepEqual(attributesOf(asked), { 'hf.Type': 'client' });
        const renewed = await member('renewed', again);
        assert.equal((await ca.getCaInfo(renewed)).caName, 'ca-org1');
    },

    async identityService() {
        const secret = await identities.create(
            {
                enrollmentID: 'frank',
                enrollmentSecret: 'frankpw',
                affiliation: 'org1',
                type: 'client',
                maxEnrollments: 5,
                attrs: [{ name: 'x', value: 'y', ecert: true }],
            },
            registrar,
        );
        assert.equal(secret, 'frankpw');
        const { result } = await identities.getOne('frank', registrar);
        assert.equal(result.max_enrollments, 5);
        assert.equal(result.affiliation, 'org1');
        assert.ok(result.attrs.some(({ name, value }) => name === 'x' && value === 'y'));
        await identities.update(
            'frank',
            { affiliation: 'org1.department1', enrollmentSecret: 'other', maxEnrollments: 7 },
            registrar,
        );
        const updated = (await identities.getOne('frank', registrar)).result;
        assert.equal(updated.affiliation, 'org1.department1');
        assert.equal(updated.max_enrollments, 7);
        await ca.enroll({ enrollmentID: 'frank', enrollmentSecret: 'other' });
        const everybody = (await identities.getAll(registrar)).result.identities;
        assert.ok(everybody.some(({ id }) => id === 'frank'));
        await identities.delete('frank', registrar);
        const error = await failure(identities.getOne('frank', registrar));
        assert.equal(error.errors[0].code, 63);
    },

    async affiliationService() {
        await affiliations.create({ name: 'org7.a.b', force: true }, registrar);
        const { result } = await affiliations.getOne('org7', registrar);
        assert.equal(result.affiliations[0].name, 'org7.a');
        await affiliations.update('org7.a', { name: 'org7.c', force: true }, registrar);
        const everything = (await affiliations.getAll(registrar)).result.affiliations;
        const org7 = everything.find(({ name }) => name === 'org7');
        assert.equal(org7.affiliations[0].affiliations[0].name, 'org7.c.b');
        await affiliations.delete({ name: 'org7', force: true }, registrar);
        const error = await failure(affiliations.getOne('org7', registrar));
        assert.equal(error.success, false);
    },

    async certificateService() {
        const { enrollment } = await enrolled('listed');
        const query = { id: 'listed', notrevoked: true, notexpired: true };
        const { certs } = (await certificates.getCertificates(query, registrar)).result;
        assert.deepEqual(
            certs.map(({ PEM }) => PEM.trim()),
            [enrollment.certificate.trim()],
        );
        const nobody = await certificates.getCertificates({ id: 'nobody' }, registrar);
        assert.deepEqual(nobody.result.certs, []);
    },

    async revokeOneCertificate() {
        const { enrollment, enrollmentSecret, user } = await enrolled('lost');
        const serial = parsed(enrollment).serialNumber.toLowerCase();
        const root = new crypto.X509Certificate(enrollment.rootCertificate);
        const aki = subjectKeyIdentifier(root);
        const { result } = await ca.revoke(
            { aki, serial, reason: 'keycompromise', gencrl: true },
            registrar,
        );
        const plain = (hex) => hex.replace(/^0+/, '');
        assert.deepEqual(result.RevokedCerts, [{ Serial: plain(serial), AKI: plain(aki) }]);
        assert.ok(revokedSerials(result.CRL).includes(BigInt(`0x${serial}`)));
        assert.equal((await failure(ca.reenroll(user))).errors[0].code, 20);
        await ca.enroll({ enrollmentID: 'lost', enrollmentSecret });
    },

    async revokeAnIdentity() {
        const { enrollment, enrollmentSecret } = await enrolled('gone');
        const { result } = await ca.revoke({ enrollmentID: 'gone' }, registrar);
        assert.equal(result.RevokedCerts.length, 1);
        const again = ca.enroll({ enrollmentID: 'gone', enrollmentSecret });
        assert.equal((await failure(again)).errors[0].code, 20);
        const serial = BigInt(`0x${parsed(enrollment).serialNumber}`);
        const revokedAfter = new Date(Date.now() - 3600_000);
        const all = await ca.generateCRL({ revokedAfter }, registrar);
        assert.ok(revokedSerials(all).includes(serial));
    },

    async refusals() {
        const wrong = ca.enroll({ enrollmentID: 'admin', enrollmentSecret: 'wrong' });
        assert.equal((await failure(wrong)).errors[0].code, 20);
        const { user } = await enrolled('modest');
        const twice = ca.register({ enrollmentID: 'modest', affiliation: 'org1' }, registrar);
        assert.equal((await failure(twice)).errors[0].code, 74);
        const other = ca.register({ enrollmentID: 'other', affiliation: 'org1' }, user);
        assert.equal((await failure(other)).errors[0].code, 71);
        const nobody = ca.revoke({ enrollmentID: 'nobody' }, registrar);
        assert.match((await failure(nobody)).message, /Identity nobody was not found/);
        const missing = server('ca-org1', 'ca-of-nobody').getCaInfo(registrar);
        assert.equal((await failure(missing)).errors[0].code, 19);
    },

    async otherOrganizations() {
        for (const name of ['ca-org2', 'ca-orderer']) {
            const admin = { enrollmentID: 'admin', enrollmentSecret: 'adminpw' };
            const enrollment = await server(name).enroll(admin);
            assert.ok(!enrollment.rootCertificate.includes('ca.org1'));
            const stranger = await member('admin', enrollment);
            const foreign = ca.register({ enrollmentID: 'x', affiliation: '' }, stranger);
            assert.equal((await failure(foreign)).errors[0].code, 20);
        }
    },
};

function subjectKeyIdentifier(certificate) {
    const read = new jsrsasign.X509();
    read.readCertPEM(certificate.toString());
    return read.getExtSubjectKeyIdentifier().kid.hex;
}

function revokedSerials(base64) {
    const list = new jsrsasign.X509CRL(Buffer.from(base64, 'base64').toString());
    return list.getRevCertArray().map(({ sn }) => BigInt(`0x${sn.hex}`));
}

for (const [name, check] of Object.entries(checks)) {
    let error = null;
    try {
        await check();
    } catch (caught) {
        error = String(caught.stack ?? caught);
    }
    console.log(JSON.stringify({ check: name, error }));
}
